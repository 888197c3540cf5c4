/** What each layer is drawn with now: its table of colours, and, where the view decides, the numbers that it decides on. */
import { lookName, lookup, percentiles } from "./display.mjs";

/** After the last movement, before the values in view are looked at again. */
const SETTLED_MS = 250;
/** Less than this nobody sees, and every tile would be coloured anew. */
const LEAST_CHANGE = 3;
const MOST_TABLES = 16;

/** @typedef {{name: string, table: Uint8ClampedArray|null}} Colours   no table: as it comes; the name tells one from another */

/** @type {Colours} */
const PLAIN = { name: "", table: null };

export class Looks {
  /** Of layers whose view decides. @type {Map<string, {low: number, high: number}>} */
  #ranges = new Map();
  /** @type {Map<string, Uint8ClampedArray>} oldest first */
  #tables = new Map();
  #timers = new Map();
  #changed;

  /** @param {() => void} changed called when other numbers hold for what is in view */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {import("./view-state.mjs").Row} row @returns {Colours} */
  of({ name, display: { stretch, low, high, map } }) {
    const seen = stretch === "view";
    const range = seen ? this.#ranges.get(name) : stretch === "fixed" ? { low, high } : null;
    const look = { low: 0, high: 255, map, counted: seen, ...range };
    const called = lookName(look);
    return called ? { name: called, table: this.#table(called, look) } : PLAIN;
  }

  /** The numbers that the view has decided on, null where it does not decide. @param {string} layer */
  range(layer) {
    return this.#ranges.get(layer) ?? null;
  }

  #table(name, look) {
    let table = this.#tables.get(name);
    if (!table) {
      table = lookup(look);
      this.#tables.set(name, table);
      if (this.#tables.size > MOST_TABLES) this.#tables.delete(this.#tables.keys().next().value);
    }
    return table;
  }

  /** All tiles of a layer whose view decides are here. @param {string} layer @param {() => Uint32Array[]} counts of the tiles that are in view then */
  seen(layer, counts) {
    clearTimeout(this.#timers.get(layer));
    this.#timers.set(layer, setTimeout(() => {
      const all = new Uint32Array(256);
      for (const tile of counts()) for (let value = 0; value < 256; value++) all[value] += tile[value];
      const now = percentiles(all);
      const before = this.#ranges.get(layer) ?? { low: 0, high: 255 };
      if (Math.abs(now.low - before.low) < LEAST_CHANGE && Math.abs(now.high - before.high) < LEAST_CHANGE) return;
      this.#ranges.set(layer, now);
      this.#changed();
    }, SETTLED_MS));
  }

  /** Another scene is open. */
  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#ranges.clear();
  }
}
