/** What part of the window the bars and the panel leave free. */

/** Up to this width the panel is a sheet from below. */
export const NARROW = 720;
const BARS = { top: 56, right: 8, bottom: 40, left: 64 };
/** On a narrow window the status line lies under the top bar, for the sheet has its place. */
const NARROW_BARS = { top: 84, right: 8, bottom: 8, left: 68 };

/**
 * @param {number} width @param {number} height of the window
 * @param {{left: number, top: number}|null} panel where the panel is, null while it is hidden
 * @param {number} bar height of what is open under the top bar
 * @returns {import("../geometry/view.mjs").Insets}
 */
export function insets(width, height, panel, bar = 0) {
  const fixed = width <= NARROW ? NARROW_BARS : BARS;
  const bars = { ...fixed, top: fixed.top + bar };
  if (!panel) return bars;
  return width <= NARROW ? { ...bars, bottom: height - panel.top + 8 } : { ...bars, right: width - panel.left + 8 };
}

/** So much of the window's width is a map one can look at. */
const ROOM = 280;

/** Whether a floating panel has its place beside the map, not over it. @param {number} width of the window @param {import("../geometry/view.mjs").Insets} inset @param {number} wide of the panel */
export function hasRoomBeside(width, inset, wide) {
  return width - inset.left - inset.right - wide - 12 >= ROOM;
}

/**
 * What is left free beside a panel that floats in the upper left: at its right where there is room, else below it. In a narrow
 * window it lies at the bottom, in the place of the sheet.
 * @param {number} width of the window @param {import("../geometry/view.mjs").Insets} inset without it @param {{w: number, h: number}} size of it
 * @returns {import("../geometry/view.mjs").Insets}
 */
export function besidePanel(width, inset, size) {
  if (width <= NARROW) return { ...inset, bottom: Math.max(inset.bottom, size.h + 8) };
  if (hasRoomBeside(width, inset, size.w)) return { ...inset, left: inset.left + size.w + 12 };
  return { ...inset, top: inset.top + size.h + 12 };
}

/** @param {number} width @param {number} height @param {import("../geometry/view.mjs").Insets} inset @returns {import("../geometry/rect.mjs").Rect} */
export function freePart(width, height, inset) {
  return { x: inset.left, y: inset.top, w: width - inset.left - inset.right, h: height - inset.top - inset.bottom };
}

/**
 * The smallest movement that brings a rectangle with a margin into the free part; a rectangle too large is centred.
 * @param {import("../geometry/rect.mjs").Rect} rect on the screen @param {import("../geometry/rect.mjs").Rect} free @returns {[number, number]} dx, dy
 */
export function nudgeInto(rect, free, margin = 48) {
  const along = (at, size, from, room) => {
    if (size + 2 * margin > room) return from + room / 2 - (at + size / 2);
    return Math.max(0, from + margin - at) + Math.min(0, from + room - margin - (at + size));
  };
  return [along(rect.x, rect.w, free.x, free.w), along(rect.y, rect.h, free.y, free.h)];
}
