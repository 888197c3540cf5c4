/**
 * Which latent cells of the scene have pixels, read from the alpha of the full-resolution tiles. Extension needs it to
 * find the next frame in which something is empty.
 */
import { CELL, TILE, intersect, tileRange } from "../geometry/rect.mjs";

const SIDE = TILE / CELL;
const MAX_TILES = 512;

/** Whether every cell of the part (in cells of the tile) is filled. @param {Uint8Array} cells @param {import("../geometry/rect.mjs").Rect} part */
export function allFilled(cells, part) {
  for (let y = part.y; y < part.y + part.h; y++) {
    for (let x = part.x; x < part.x + part.w; x++) {
      if (!cells[y * SIDE + x]) return false;
    }
  }
  return true;
}

/** @param {ImageBitmap} bitmap @returns {Uint8Array} SIDE*SIDE flags: 1 where all of the cell has pixels */
export function readCells(bitmap) {
  const canvas = new OffscreenCanvas(TILE, TILE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, TILE, TILE);
  const cells = new Uint8Array(SIDE * SIDE).fill(1);
  for (let y = 0; y < TILE; y++) {
    for (let x = 0; x < TILE; x++) {
      if (data[(y * TILE + x) * 4 + 3] === 0) cells[Math.floor(y / CELL) * SIDE + Math.floor(x / CELL)] = 0;
    }
  }
  return cells;
}

export class Coverage {
  /** @type {Map<string, Promise<Uint8Array>>} by tile and revision, oldest first */
  #known = new Map();
  #index;
  #read;

  /**
   * @param {import("./tile-index.mjs").TileIndex} index
   * @param {(x: number, y: number, revision: number) => Promise<Uint8Array>} read flags of a full-resolution tile
   */
  constructor(index, read) {
    this.#index = index;
    this.#read = read;
  }

  /** @param {import("../geometry/rect.mjs").Rect} frame on the cell grid @returns {Promise<boolean>} */
  async isFull(frame) {
    const range = tileRange(frame, 0);
    await this.#index.ensure(0, range);
    for (let y = range.y0; y < range.y1; y++) {
      for (let x = range.x0; x < range.x1; x++) {
        const revision = this.#index.revision(0, x, y);
        if (revision === undefined) return false;
        const part = intersect(frame, { x: x * TILE, y: y * TILE, w: TILE, h: TILE });
        const cells = { x: part.x / CELL - x * SIDE, y: part.y / CELL - y * SIDE, w: part.w / CELL, h: part.h / CELL };
        if (!allFilled(await this.#cells(x, y, revision), cells)) return false;
      }
    }
    return true;
  }

  #cells(x, y, revision) {
    const key = `${x}/${y}@${revision}`;
    let cells = this.#known.get(key);
    if (!cells) {
      cells = this.#read(x, y, revision);
      cells.catch(() => this.#known.delete(key));
      this.#known.set(key, cells);
      if (this.#known.size > MAX_TILES) this.#known.delete(this.#known.keys().next().value);
    }
    return cells;
  }
}
