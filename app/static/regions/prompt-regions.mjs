/**
 * The regions of a fill that is being drawn, each with its prompt. Pure: no page, no server.
 * @typedef {{key: string, points: import("../geometry/polygon.mjs").Point[], rectangle: boolean, text: string, colour: string}} Region
 *   the corners of a rectangle too, so that everybody who draws knows one form
 */
import { areaOf, boxOf } from "../geometry/polygon.mjs";
import { snapOut, union } from "../geometry/rect.mjs";

/** As the server has it. */
export const MAX_REGIONS = 64;
/** Of one polygon; all together stay within what the server takes of a region. */
export const MAX_POINTS = 120;
/** px over which neighbouring prompts pass into each other, unless somebody says otherwise. */
export const FEATHER = 64;
export const MAX_FEATHER = 4096;
/** px^2: the smallest thing that can be made is a cell. */
const LEAST_AREA = 64;

/** Each far from those before it: steps of the golden angle around the circle of hues, light enough for dark letters. @param {number} n */
export function regionColour(n) {
  return `hsl(${Math.round(205 + (n - 1) * 137.5) % 360} 85% 68%)`;
}

export class PromptRegions {
  /** @type {Region[]} in the order they were drawn */
  list = [];
  feather = FEATHER;
  #next = 1;
  /** Whether the ground between the regions is filled, too; null until somebody says. @type {boolean|null} */
  #between = null;
  #changed;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.#changed = changed;
  }

  get empty() {
    return this.list.length === 0;
  }

  /** Rectangles drawn by hand leave slits between them that nobody wants; who draws an outline means that outline. */
  get between() {
    return this.list.length > 1 && (this.#between ?? this.list.every(({ rectangle }) => rectangle));
  }

  set between(value) {
    this.#between = value;
    this.#changed();
  }

  /** All that a fill would cover at most, null where nothing is drawn. @returns {import("../geometry/rect.mjs").Rect|null} */
  get box() {
    let all = null;
    for (const { points } of this.list) all = union(all, snapOut(boxOf(points)));
    return all;
  }

  /** @param {import("../geometry/rect.mjs").Rect} rect in scene pixels @param {string} text @returns {string|null} what is wrong, null where it was added */
  add(rect, text) {
    const { x, y, w, h } = snapOut(rect);
    return this.#add([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], true, text);
  }

  /** @param {import("../geometry/polygon.mjs").Point[]} points in scene pixels @param {string} text @returns {string|null} as `add` */
  addPolygon(points, text) {
    const whole = points.map(([x, y]) => /** @type {import("../geometry/polygon.mjs").Point} */ ([Math.round(x) + 0, Math.round(y) + 0]));
    return this.#add(whole, false, text);
  }

  #add(points, rectangle, text) {
    if (this.list.length === MAX_REGIONS) return "That is as many regions as one fill can have: fill these first.";
    if (points.length < 3 || areaOf(points) < LEAST_AREA) return "This region is too small to be filled: draw it larger, or zoom in first.";
    // Of colours that are in use none is given twice, as long as there are others.
    let n = 1;
    while (this.list.some(({ colour }) => colour === regionColour(n)) && n <= MAX_REGIONS) n += 1;
    this.list.push({ key: String(this.#next++), points, rectangle, text, colour: regionColour(n) });
    this.#changed();
    return null;
  }

  /** @param {string} key @param {string} text */
  write(key, text) {
    for (const region of this.list) if (region.key === key) region.text = text;
    this.#changed();
  }

  /** @param {string} key */
  remove(key) {
    this.list = this.list.filter((region) => region.key !== key);
    this.#changed();
  }

  clear() {
    this.list = [];
    this.#between = null;
    this.#changed();
  }

  /** What the server is asked: the regions, or all of the smallest rectangle around them, into which they fade. */
  request() {
    const { x, y, w, h } = this.box;
    const shapes = this.list.map(({ points, rectangle }) => (rectangle ? [...points[0], ...points[2]] : points));
    const prompts = this.list.map(({ text }, n) => ({ text, region: shapes[n], feather: this.feather }));
    const whole = this.between || (shapes.length === 1 && this.list[0].rectangle);
    return { bbox: [x, y, x + w, y + h], prompts, ...(whole ? {} : { region: shapes }) };
  }
}
