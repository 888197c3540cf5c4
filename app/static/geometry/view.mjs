/**
 * The view transform: which part of the unbounded scene the window shows.
 * `scale` is CSS pixels per scene pixel; (cx, cy) is the scene point in the middle of the window.
 * @typedef {import("./rect.mjs").Rect} Rect
 * @typedef {{top: number, right: number, bottom: number, left: number}} Insets
 */

export const MIN_SCALE = 1 / 512;
export const MAX_SCALE = 16;
const NO_INSETS = { top: 0, right: 0, bottom: 0, left: 0 };

export class View {
  cx = 0;
  cy = 0;
  scale = 1;
  width = 1;
  height = 1;

  /** @param {number} width @param {number} height CSS pixels; the scene point in the middle stays there */
  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  /** @returns {{x: number, y: number}} scene point under a window point */
  toScene(sx, sy) {
    return { x: this.cx + (sx - this.width / 2) / this.scale, y: this.cy + (sy - this.height / 2) / this.scale };
  }

  /** @returns {{x: number, y: number}} window point of a scene point */
  toScreen(x, y) {
    return { x: (x - this.cx) * this.scale + this.width / 2, y: (y - this.cy) * this.scale + this.height / 2 };
  }

  /** Window rectangle of a scene rectangle, edges on whole CSS pixels so that neighbours never overlap or gap. */
  rectToScreen(r) {
    const a = this.toScreen(r.x, r.y);
    const b = this.toScreen(r.x + r.w, r.y + r.h);
    const x = Math.round(a.x);
    const y = Math.round(a.y);
    return { x, y, w: Math.round(b.x) - x, h: Math.round(b.y) - y };
  }

  /** @returns {Rect} the part of the scene in the window */
  visible() {
    const a = this.toScene(0, 0);
    return { x: a.x, y: a.y, w: this.width / this.scale, h: this.height / this.scale };
  }

  /** @param {number} dx @param {number} dy CSS pixels the content moves by */
  panBy(dx, dy) {
    this.cx -= dx / this.scale;
    this.cy -= dy / this.scale;
  }

  /** Zoom by `factor`; the scene point under (sx, sy) stays under it. @param {number} factor @param {number} sx @param {number} sy */
  zoomAt(factor, sx, sy) {
    const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, this.scale * factor));
    const fixed = this.toScene(sx, sy);
    this.scale = scale;
    this.cx = fixed.x - (sx - this.width / 2) / scale;
    this.cy = fixed.y - (sy - this.height / 2) / scale;
  }

  /** Zoom by `factor`; the scene point in the middle of what the insets leave free stays there. @param {number} factor @param {Insets} insets */
  zoomMiddle(factor, insets = NO_INSETS) {
    this.zoomAt(factor, (this.width + insets.left - insets.right) / 2, (this.height + insets.top - insets.bottom) / 2);
  }

  /** Put the scene point in the middle of what the insets leave free. @param {Insets} insets */
  centerOn(x, y, insets = NO_INSETS) {
    this.cx = x + (insets.right - insets.left) / 2 / this.scale;
    this.cy = y + (insets.bottom - insets.top) / 2 / this.scale;
  }

  /** Show all of `rect` in what the insets leave free, never enlarged beyond `most`. @param {Insets} insets */
  fit(rect, insets = NO_INSETS, most = 1.5) {
    const w = Math.max(64, this.width - insets.left - insets.right);
    const h = Math.max(64, this.height - insets.top - insets.bottom);
    this.scale = Math.min(most, MAX_SCALE, Math.max(MIN_SCALE, Math.min(w / rect.w, h / rect.h)));
    this.centerOn(rect.x + rect.w / 2, rect.y + rect.h / 2, insets);
  }

  /**
   * Pyramid level to draw: tiles appear at 0.7 to 1.4 times their size in device pixels.
   * @param {number} dpr device pixels per CSS pixel @param {number} deepest coarsest level there is
   */
  level(dpr, deepest) {
    return Math.min(deepest, Math.max(0, Math.round(Math.log2(1 / (this.scale * dpr)))));
  }
}
