/**
 * The regions of a fill that is being drawn, each with its prompt. Pure: no page, no server.
 * @typedef {{key: string, rect: import("./rect.mjs").Rect, text: string}} Region
 */
import { snapOut, union } from "./rect.mjs";

/** As the server has it. */
export const MAX_REGIONS = 64;
/** px over which neighbouring prompts pass into each other, unless somebody says otherwise. */
export const FEATHER = 64;
export const MAX_FEATHER = 4096;

export class PromptRegions {
  /** @type {Region[]} in the order they were drawn */
  list = [];
  feather = FEATHER;
  #next = 1;
  #changed;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.#changed = changed;
  }

  get empty() {
    return this.list.length === 0;
  }

  /** @param {import("./rect.mjs").Rect} rect in scene pixels @param {string} text @returns {boolean} false where there are too many */
  add(rect, text) {
    if (this.list.length === MAX_REGIONS) return false;
    this.list.push({ key: String(this.#next++), rect: snapOut(rect), text });
    this.#changed();
    return true;
  }

  /** @param {string} key @param {string} text */
  write(key, text) {
    for (const region of this.list) if (region.key === key) region.text = text;
  }

  /** @param {string} key */
  remove(key) {
    this.list = this.list.filter((region) => region.key !== key);
    this.#changed();
  }

  clear() {
    this.list = [];
    this.#changed();
  }

  /** What the server is asked: all of the smallest rectangle around the regions, which fade into what lies between. */
  request() {
    const box = this.list.reduce((all, { rect }) => union(all, rect), null);
    const prompts = this.list.map(({ rect, text }) => ({ text, region: corners(rect), feather: this.feather }));
    return { bbox: corners(box), prompts };
  }
}

/** @param {import("./rect.mjs").Rect} r */
function corners({ x, y, w, h }) {
  return [x, y, x + w, y + h];
}
