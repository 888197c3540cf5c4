/**
 * Measures on the map: the length of a way that is clicked point by point, and, closed at its first point, the area
 * within and the length around it. A second click on the last point, or Enter, ends a way; the next click begins anew.
 * @typedef {import("../geometry/polygon.mjs").Point} Point
 */
import { area, length } from "../page/format.mjs";
import { areaOf, isSameSpot, lengthOf } from "../geometry/polygon.mjs";

export class MeasureTool {
  /** @type {Point[]} */
  #points = [];
  /** Where the pointer is. @type {Point|null} */
  #at = null;
  #ended = false;
  #closed = false;
  #page;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** What is drawn: points set, and that of the pointer while there may be more. @returns {{points: Point[], set: number, closed: boolean, text: string}|null} */
  get drawn() {
    if (!this.#points.length) return null;
    return { points: this.#line, set: this.#points.length, closed: this.#closed, text: this.text };
  }

  /** The figures, in metres of the scene; "" where nothing is measured. */
  get text() {
    const line = this.#line;
    if (line.length < 2) return "";
    const metres = this.#page.state.scene?.resolution ?? 1;
    const within = line.length < 3 ? "" : area(areaOf(line) * metres * metres);
    if (this.#closed) return `${within} · ${length(lengthOf([...line, line[0]]) * metres)} around`;
    return `${length(lengthOf(line) * metres)}${within && ` · ${within} if closed`}`;
  }

  get #line() {
    const isOn = this.#at && this.#at[0] === this.#points.at(-1)?.[0] && this.#at[1] === this.#points.at(-1)?.[1];
    return this.#ended || !this.#at || isOn ? this.#points : [...this.#points, this.#at];
  }

  // ---- the pointer

  /** @param {{x: number, y: number}} point in the scene */
  start({ x, y }) {
    this.#follow([x, y]);
  }

  /** @param {{x: number, y: number}[]} points since the last call */
  move(points) {
    const { x, y } = points.at(-1);
    this.#follow([x, y]);
  }

  /** The pointer moves without being pressed. @param {{x: number, y: number}|null} point */
  hover(point) {
    if (this.#points.length && !this.#ended) this.#follow(point && [point.x, point.y]);
  }

  end() {
    if (this.#ended) this.drop();
    const [first, last, at] = [this.#points[0], this.#points.at(-1), this.#at];
    const { scale } = this.#page.view;
    if (this.#points.length >= 3 && isSameSpot(at, first, scale)) this.#closed = this.#ended = true;
    else if (last && isSameSpot(at, last, scale)) this.finish();
    else this.#points.push(at);
    this.#show();
  }

  /** The press was no press: a second finger came. */
  cancel() {
    this.#follow(null);
  }

  // ---- the keys

  /** End the way where its last point is. */
  finish() {
    if (this.#points.length < 2) return;
    this.#ended = true;
    this.#show();
  }

  /** Take the last point back, or go on where a way had ended. */
  back() {
    if (this.#ended) this.#ended = this.#closed = false;
    else this.#points.pop();
    this.#show();
  }

  drop() {
    this.#points = [];
    this.#ended = this.#closed = false;
    this.#show();
  }

  /** @param {Point|null} point */
  #follow(point) {
    this.#at = point;
    this.#show();
  }

  #show() {
    this.#page.redraw();
  }
}
