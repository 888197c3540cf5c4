/**
 * Geometry of frames: where an extension goes, where the handles sit, what a drag does. Pure.
 * @typedef {import("./rect.mjs").Rect} Rect
 * @typedef {"up"|"right"|"down"|"left"} Direction
 */
import { CELL, intersect, isCovered, snap, snapOut, spanned } from "./rect.mjs";

/** @type {Record<Direction, [number, number]>} */
export const DIRECTIONS = { up: [0, -1], right: [1, 0], down: [0, 1], left: [-1, 0] };
/** @type {Direction[]} */
export const DIRECTION_NAMES = ["up", "right", "down", "left"];
/** Largest side of a frame or a mask in pixels that one job may cover: the server's limit. */
export const MAX_SIDE = 2048;
const MOST_STEPS = 4096;
/** Handles keep this far from the edge, and need this much of the frame in sight; CSS pixels. */
const EDGE = 20;
const MIN_SEEN = 48;

/** A window-sized frame around a scene point, on the cell grid. @returns {Rect} */
export function frameAround(x, y, window) {
  return { x: snap(x - window / 2), y: snap(y - window / 2), w: window, h: window };
}

/** The window at the lower right end of the content, where one would go on. @param {Rect} bounds @returns {Rect} */
export function frameAtEnd(bounds, window) {
  return { x: snap(bounds.x + bounds.w - window), y: snap(bounds.y + bounds.h - window), w: window, h: window };
}

/** @param {Rect} frame @param {Direction} direction @param {number} step pixels @returns {Rect} */
export function shifted(frame, direction, step) {
  const [dx, dy] = DIRECTIONS[direction];
  return { ...frame, x: frame.x + dx * step, y: frame.y + dy * step };
}

/**
 * The frame of an extension: half a window further in the direction, and further still while nothing in it is empty.
 * @param {Rect} anchor the selected frame @param {Direction} direction @param {number} window model window in pixels
 * @param {Rect[]} pending frames of jobs not finished: they count as filled
 * @param {(frame: Rect) => Promise<boolean>} isFull whether the scene has pixels everywhere in the frame
 * @returns {Promise<Rect>}
 */
export async function nextFrame(anchor, direction, window, pending, isFull) {
  const step = Math.max(CELL, snap(window / 2));
  // One window wide across the direction of growth, so that a large frame is extended by windows, not by copies of itself.
  let frame = { ...anchor };
  if (direction === "right" || direction === "left") {
    frame.w = window;
    if (direction === "right") frame.x = anchor.x + anchor.w - window;
  } else {
    frame.h = window;
    if (direction === "down") frame.y = anchor.y + anchor.h - window;
  }
  for (let n = 0; n < MOST_STEPS; n++) {
    frame = shifted(frame, direction, step);
    if (isCovered(frame, pending)) continue;
    if (!(await isFull(frame))) return frame;
  }
  return frame;
}

/**
 * A frame dragged out by hand: on the grid, at least one window, at most MAX_SIDE. A click gives one window around it.
 * @returns {Rect}
 */
export function draggedFrame(ax, ay, bx, by, window, clickLimit) {
  const raw = spanned(ax, ay, bx, by);
  if (raw.w < clickLimit && raw.h < clickLimit) return frameAround(ax, ay, window);
  const out = snapOut(raw);
  const side = (n) => Math.min(MAX_SIDE, Math.max(window, n));
  const w = side(out.w);
  const h = side(out.h);
  // The corner where the drag began stays.
  return { x: bx >= ax ? out.x : out.x + out.w - w, y: by >= ay ? out.y : out.y + out.h - h, w, h };
}

/** Frame moved by a drag, on the cell grid. @param {Rect} frame @returns {Rect} */
export function movedFrame(frame, dx, dy) {
  return { ...frame, x: snap(frame.x + dx), y: snap(frame.y + dy) };
}

/**
 * Where a small part goes that something else covers: up or down out of it, to the nearer side that has room.
 * @param {{x: number, y: number, w: number, h: number}} part @param {Rect|null} cover @param {Rect} free @returns {number} its y
 */
export function clearOf(part, cover, free) {
  if (!cover || !intersect(part, cover)) return part.y;
  const sides = [cover.y - part.h, cover.y + cover.h].filter((y) => y >= free.y && y + part.h <= free.y + free.h);
  return sides.sort((a, b) => Math.abs(a - part.y) - Math.abs(b - part.y))[0] ?? part.y;
}

/** The side of a rectangle that a point lies towards. @param {Rect} rect @param {number} x @param {number} y @returns {Direction} */
export function sideTowards(rect, x, y) {
  const dx = (x - rect.x) / rect.w - 0.5;
  const dy = (y - rect.y) / rect.h - 0.5;
  if (Math.abs(dx) > Math.abs(dy)) return dx > 0 ? "right" : "left";
  return dy > 0 ? "down" : "up";
}

/**
 * Where the handles sit: outside the middle of each side; where that is out of sight, at the edge of the free part.
 * @param {Rect} screen the frame in window pixels @param {Rect} free part of the window not under a panel
 * @returns {{direction: Direction, x: number, y: number}[]} centres in window pixels; none where the frame is out of sight
 */
export function handlePlaces(screen, free, gap = 28) {
  const seen = intersect(screen, free);
  // Of a large frame a sliver is too little; a frame that is small itself is grown from far away.
  if (!seen || seen.w < Math.min(MIN_SEEN, screen.w) || seen.h < Math.min(MIN_SEEN, screen.h)) return [];
  const midX = seen.x + seen.w / 2;
  const midY = seen.y + seen.h / 2;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const at = {
    up: [midX, screen.y - gap],
    right: [screen.x + screen.w + gap, midY],
    down: [midX, screen.y + screen.h + gap],
    left: [screen.x - gap, midY],
  };
  return DIRECTION_NAMES.map((direction) => ({
    direction,
    x: clamp(at[direction][0], free.x + EDGE, free.x + free.w - EDGE),
    y: clamp(at[direction][1], free.y + EDGE, free.y + free.h - EDGE),
  }));
}
