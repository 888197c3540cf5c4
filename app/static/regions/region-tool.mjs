/**
 * Draws the regions of a fill: a rectangle is dragged, a lasso drawn, a polygon clicked corner by corner. A polygon is
 * closed by a click on its first corner, a second click on its last, or Enter; Backspace takes a corner back.
 * @typedef {"rectangle"|"polygon"|"lasso"} Shape
 * @typedef {import("../geometry/polygon.mjs").Point} Point
 */
import { boxOf, isSameSpot, simplified } from "../geometry/polygon.mjs";
import { MAX_POINTS } from "./prompt-regions.mjs";
import { snapOut } from "../geometry/rect.mjs";

/** CSS pixels: a press that moves less is a click. */
const CLICK = 5;
/** CSS pixels that a simplified lasso may be off. */
const TOLERANCE = 1.5;

export class RegionTool {
  /** @type {Shape} */
  shape = "rectangle";
  /** Outline under way; the last point of a polygon follows the pointer. @type {{points: Point[], corners: boolean}|null} */
  draft = null;
  /** Corners of the polygon under way. @type {Point[]} */
  #corners = [];
  /** @type {Point|null} */
  #from = null;
  /** @type {Point|null} */
  #at = null;
  /** @type {Point[]} */
  #path = [];
  #page;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** @param {Shape} shape */
  choose(shape) {
    this.drop();
    this.shape = shape;
    this.#page.redraw();
  }

  // ---- the pointer

  /** @param {{x: number, y: number}} point in the scene */
  start({ x, y }) {
    this.#from = [x, y];
    this.#at = [x, y];
    this.#path = [[x, y]];
  }

  /** @param {{x: number, y: number}[]} points since the last call */
  move(points) {
    for (const { x, y } of points) this.#path.push([x, y]);
    this.#at = this.#path.at(-1);
    if (this.shape === "lasso") this.#draw(this.#path, false);
    else if (this.shape === "rectangle") this.#draw(outline(snapOut(this.#dragged())), false);
    else this.#follow(this.#at);
  }

  /** The pointer moves without being pressed. @param {{x: number, y: number}|null} point */
  hover(point) {
    if (point && this.#corners.length) this.#follow([point.x, point.y]);
  }

  end() {
    if (this.shape === "polygon") return this.#corner(this.#at);
    this.draft = null;
    const dragged = this.#dragged();
    if (Math.max(dragged.w, dragged.h) * this.#page.view.scale >= CLICK) {
      if (this.shape === "rectangle") this.#page.dropPrompt((regions, text) => regions.add(dragged, text));
      else this.#keep(simplified(this.#path, TOLERANCE / this.#page.view.scale, MAX_POINTS));
    }
    this.#page.redraw();
  }

  /** The press was no press: a second finger came. Corners that are set stay. */
  cancel() {
    if (this.#corners.length) this.#follow(this.#corners.at(-1));
    else this.draft = null;
    this.#page.redraw();
  }

  // ---- corners of a polygon

  /** @param {Point} point */
  #corner(point) {
    const [first, last] = [this.#corners[0], this.#corners.at(-1)];
    if (this.#corners.length >= 3 && (this.#near(point, first) || this.#near(point, last))) return this.finish();
    if (last && this.#near(point, last)) return;
    this.#corners.push(point);
    if (this.#corners.length === MAX_POINTS) this.finish();
    else this.#follow(point);
  }

  /** Close the polygon under way. @returns {boolean} whether there was one */
  finish() {
    const corners = this.#corners;
    if (!corners.length) return false;
    this.drop();
    this.#keep(corners);
    return true;
  }

  /** Take the last corner back. */
  back() {
    if (!this.#corners.pop()) return;
    if (this.#corners.length) this.#follow(this.#at);
    else this.drop();
  }

  /** Forget what is being drawn. */
  drop() {
    this.#corners = [];
    this.draft = null;
    this.#page.redraw();
  }

  /** @param {Point[]} points */
  #keep(points) {
    this.#page.dropPrompt((regions, text) => regions.addPolygon(points, text));
  }

  #follow(point) {
    this.#at = point;
    this.#draw([...this.#corners, point], true);
  }

  #draw(points, corners) {
    this.draft = { points, corners };
    this.#page.redraw();
  }

  #dragged() {
    return boxOf(this.shape === "lasso" ? this.#path : [this.#from, this.#at]);
  }

  #near(a, b) {
    return isSameSpot(a, b, this.#page.view.scale);
  }
}

/** @param {import("../geometry/rect.mjs").Rect} rect @returns {Point[]} */
function outline({ x, y, w, h }) {
  return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
}
