/**
 * Polygons in scene pixels: lists of points, closed by themselves. Everything here is pure.
 * @typedef {[number, number]} Point x, y
 */
import { spanned } from "./rect.mjs";

/** @param {Point[]} points @returns {import("./rect.mjs").Rect} the smallest rectangle around them */
export function boxOf(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return spanned(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
}

/** CSS pixels: a click that near to a point means the point. */
const NEAR = 10;

/** Whether two places are the same spot for the hand. @param {Point} a @param {Point} b @param {number} scale CSS pixels per scene pixel */
export function isSameSpot([ax, ay], [bx, by], scale) {
  return Math.hypot(ax - bx, ay - by) * scale <= NEAR;
}

/** Of an open line. @param {Point[]} points */
export function lengthOf(points) {
  return points.slice(1).reduce((sum, [x, y], n) => sum + Math.hypot(x - points[n][0], y - points[n][1]), 0);
}

/** What a polygon encloses, parts of opposite turn against each other. @param {Point[]} points */
export function areaOf(points) {
  const twice = points.reduce((sum, [x, y], n) => {
    const [nextX, nextY] = points[(n + 1) % points.length];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

/**
 * A freehand outline with fewer points: no dropped one lies further than a tolerance from what is left (Douglas and
 * Peucker 1973). The tolerance grows until no more than `most` are left.
 * @param {Point[]} points @param {number} tolerance px, above 0 @param {number} most at least 3 @returns {Point[]}
 */
export function simplified(points, tolerance, most) {
  let left = points;
  for (let reach = tolerance; ; reach *= 1.5) {
    // Two halves, cut where the outline is furthest from its beginning: a closed line has no ends of its own.
    const far = furthest(points, (point) => Math.hypot(point[0] - points[0][0], point[1] - points[0][1]));
    left = [...thinned(points.slice(0, far + 1), reach), ...thinned([...points.slice(far), points[0]], reach).slice(1, -1)];
    if (left.length <= most || left.length <= 3) return left;
  }
}

/** @param {Point[]} line @param {number} reach */
function thinned(line, reach) {
  if (line.length < 3) return line;
  const [first, last] = [line[0], line.at(-1)];
  const at = furthest(line, (point) => distance(point, first, last));
  if (distance(line[at], first, last) <= reach) return [first, last];
  return [...thinned(line.slice(0, at + 1), reach), ...thinned(line.slice(at), reach).slice(1)];
}

/** @param {Point[]} points @param {(point: Point) => number} measure @returns {number} the place of the largest */
function furthest(points, measure) {
  return points.reduce((best, point, n) => (measure(point) > measure(points[best]) ? n : best), 0);
}

/** From a point to a line between two others. */
function distance([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}

/** A place well inside for a label: the middle of the widest part of the line through the middle. @param {Point[]} points @returns {Point} */
export function labelPlace(points) {
  const box = boxOf(points);
  const y = box.y + box.h / 2;
  const crossings = points
    .flatMap(([ax, ay], n) => {
      const [bx, by] = points[(n + 1) % points.length];
      return ay > y !== by > y ? [ax + ((y - ay) * (bx - ax)) / (by - ay)] : [];
    })
    .sort((a, b) => a - b);
  let widest = [box.x, box.x + box.w];
  for (let n = 0, width = 0; n + 1 < crossings.length; n += 2) {
    if (crossings[n + 1] - crossings[n] > width) [widest, width] = [[crossings[n], crossings[n + 1]], crossings[n + 1] - crossings[n]];
  }
  return [(widest[0] + widest[1]) / 2, y];
}
