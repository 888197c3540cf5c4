/**
 * Which tiles exist, and their revisions, learned from the server in square blocks of the tile grid.
 * A change marks blocks stale: their old answer stays usable until the new one is here, so nothing flickers.
 * @typedef {{z: number, x: number, y: number}} BlockName
 * @typedef {{name: BlockName, revisions: Map<string, number>|null, stale: boolean, asked: number,
 *   answer: Promise<void>|null, failures: number}} Block   `asked`: questions without an answer yet
 */
import { intersect, TILE } from "../geometry/rect.mjs";

/** Side of a block in tiles: one request covers a window at any usual zoom. */
export const BLOCK = 32;
const MAX_BLOCKS = 256;
const MAX_FAILURES = 3;

/** @param {Block|undefined} block */
function isCurrent(block) {
  return Boolean(block?.revisions) && !block.stale && !block.asked;
}

export class TileIndex {
  /** @type {Map<string, Block>} oldest use first */
  #blocks = new Map();
  #load;
  #changed;

  /**
   * @param {(z: number, x0: number, y0: number, x1: number, y1: number) => Promise<[number, number, number][]>} load
   * @param {() => void} changed called when an answer arrived
   */
  constructor(load, changed) {
    this.#load = load;
    this.#changed = changed;
  }

  get size() {
    return this.#blocks.size;
  }

  /** @returns {number|undefined} revision of a tile; undefined while unknown or where nothing exists */
  revision(z, x, y) {
    const block = this.#blocks.get(`${z}/${Math.floor(x / BLOCK)}/${Math.floor(y / BLOCK)}`);
    return block?.revisions?.get(`${x}/${y}`);
  }

  /** Whether what is known of a tile is the newest there is: a tile of an older revision may not exist any more. */
  isCurrent(z, x, y) {
    return isCurrent(this.#blocks.get(`${z}/${Math.floor(x / BLOCK)}/${Math.floor(y / BLOCK)}`));
  }

  /** Ask for whatever is unknown or stale in a range of tiles; resolves when the answers are here. */
  async ensure(z, { x0, y0, x1, y1 }) {
    const waits = [];
    for (let by = Math.floor(y0 / BLOCK); by * BLOCK < y1; by++) {
      for (let bx = Math.floor(x0 / BLOCK); bx * BLOCK < x1; bx++) waits.push(this.#ask({ z, x: bx, y: by }));
    }
    await Promise.all(waits);
  }

  /** Whether every block of the range has been answered since its last change. */
  isFresh(z, { x0, y0, x1, y1 }) {
    for (let by = Math.floor(y0 / BLOCK); by * BLOCK < y1; by++) {
      for (let bx = Math.floor(x0 / BLOCK); bx * BLOCK < x1; bx++) {
        if (!isCurrent(this.#blocks.get(`${z}/${bx}/${by}`))) return false;
      }
    }
    return true;
  }

  /** Mark what overlaps the rectangles (scene pixels) stale, at every level. @param {import("../geometry/rect.mjs").Rect[]} rects */
  invalidate(rects) {
    for (const block of this.#blocks.values()) {
      const side = TILE * 2 ** block.name.z * BLOCK;
      const area = { x: block.name.x * side, y: block.name.y * side, w: side, h: side };
      if (rects.some((rect) => intersect(rect, area))) this.#spoil(block);
    }
  }

  invalidateAll() {
    for (const block of this.#blocks.values()) this.#spoil(block);
  }

  /** @param {Block} block */
  #spoil(block) {
    block.stale = true;
    block.failures = 0;
  }

  /** @param {BlockName} name */
  async #ask(name) {
    const key = `${name.z}/${name.x}/${name.y}`;
    let block = this.#blocks.get(key);
    if (!block) block = { name, revisions: null, stale: true, asked: 0, answer: null, failures: 0 };
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
    if (!block.stale || block.failures >= MAX_FAILURES) return block.answer;
    block.stale = false; // a change that arrives while we wait makes it stale again
    block.answer = this.#answer(block, block.answer);
    return block.answer;
  }

  /** @param {Block} block @param {Promise<void>|null} former a question under way: answers must not overtake each other */
  async #answer(block, former) {
    block.asked += 1;
    await former;
    try {
      const x0 = block.name.x * BLOCK;
      const y0 = block.name.y * BLOCK;
      const tiles = await this.#load(block.name.z, x0, y0, x0 + BLOCK, y0 + BLOCK);
      block.revisions = new Map(tiles.map(([x, y, revision]) => [`${x}/${y}`, revision]));
      block.failures = 0;
    } catch {
      block.stale = true; // asked again with the next drawing, at most MAX_FAILURES times until something changes
      block.failures += 1;
    }
    block.asked -= 1;
    if (!block.asked) block.answer = null;
    this.#changed();
  }
}
