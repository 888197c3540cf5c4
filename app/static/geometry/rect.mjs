/**
 * Rectangles in scene pixels (integers, y down, may be negative). Everything here is pure.
 * @typedef {{x: number, y: number, w: number, h: number}} Rect
 */

/** Side of one latent cell in pixels: frames begin and end on this grid. */
export const CELL = 8;
/** Side of one stored tile in pixels. */
export const TILE = 256;

/** @param {[number, number, number, number]} list @returns {Rect} */
export function fromXYWH([x, y, w, h]) {
  return { x, y, w, h };
}

/** @param {[number, number, number, number]} list corners x0, y0, x1, y1 @returns {Rect} */
export function fromCorners([x0, y0, x1, y1]) {
  return { x: x0, y: y0, w: x1 - x0, h: y1 - y0 };
}

/** @param {Rect} r @returns {[number, number, number, number]} */
export function toXYWH(r) {
  return [r.x, r.y, r.w, r.h];
}

/** The rectangle spanned by two points in any order. @returns {Rect} */
export function spanned(ax, ay, bx, by) {
  return { x: Math.min(ax, bx), y: Math.min(ay, by), w: Math.abs(ax - bx), h: Math.abs(ay - by) };
}

/** @param {Rect} a @param {Rect} b @returns {Rect|null} the common part, null where there is none */
export function intersect(a, b) {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const w = Math.min(a.x + a.w, b.x + b.w) - x;
  const h = Math.min(a.y + a.h, b.y + b.h) - y;
  return w > 0 && h > 0 ? { x, y, w, h } : null;
}

/** @param {Rect|null} a @param {Rect|null} b @returns {Rect|null} smallest rectangle around both */
export function union(a, b) {
  if (!a || !b) return a ?? b;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y };
}

/** @param {Rect} r @param {number} x @param {number} y */
export function contains(r, x, y) {
  return x >= r.x && y >= r.y && x < r.x + r.w && y < r.y + r.h;
}

/** @param {Rect} a @param {Rect} b */
export function equal(a, b) {
  return a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
}

/** Parts of `r` outside `hole` (at most four, disjoint). @param {Rect} r @param {Rect} hole @returns {Rect[]} */
export function subtract(r, hole) {
  const cut = intersect(r, hole);
  if (!cut) return [r];
  const parts = [
    { x: r.x, y: r.y, w: r.w, h: cut.y - r.y },
    { x: r.x, y: cut.y + cut.h, w: r.w, h: r.y + r.h - cut.y - cut.h },
    { x: r.x, y: cut.y, w: cut.x - r.x, h: cut.h },
    { x: cut.x + cut.w, y: cut.y, w: r.x + r.w - cut.x - cut.w, h: cut.h },
  ];
  return parts.filter((part) => part.w > 0 && part.h > 0);
}

/** Whether the union of `covers` contains all of `r`. @param {Rect} r @param {Rect[]} covers */
export function isCovered(r, covers) {
  let open = [r];
  for (const cover of covers) {
    open = open.flatMap((part) => subtract(part, cover));
    if (!open.length) return true;
  }
  return false;
}

/** Nearest multiple of the cell size; never -0. @param {number} value */
export function snap(value) {
  return Math.round(value / CELL) * CELL + 0;
}

/** @param {Rect} r @returns {Rect} `r` with every side moved outwards to the cell grid */
export function snapOut(r) {
  const x = Math.floor(r.x / CELL) * CELL;
  const y = Math.floor(r.y / CELL) * CELL;
  return {
    x: x + 0,
    y: y + 0,
    w: Math.ceil((r.x + r.w) / CELL) * CELL - x,
    h: Math.ceil((r.y + r.h) / CELL) * CELL - y,
  };
}

/** Range of tiles touched by `r` at pyramid level z, upper ends exclusive. @param {Rect} r @param {number} z */
export function tileRange(r, z) {
  const side = TILE * 2 ** z;
  return {
    x0: Math.floor(r.x / side),
    y0: Math.floor(r.y / side),
    x1: Math.ceil((r.x + r.w) / side),
    y1: Math.ceil((r.y + r.h) / side),
  };
}
