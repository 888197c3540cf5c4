/**
 * Pointers to gestures: one pointer drags, two pan and zoom. Knows nothing of the scene; coordinates are window pixels.
 * @typedef {{start: (x: number, y: number, event: PointerEvent) => boolean, move: (x: number, y: number, event: PointerEvent) => void,
 *   end: (x: number, y: number) => void, cancel: () => void, pan: (dx: number, dy: number) => void,
 *   zoom: (factor: number, x: number, y: number) => void, hover: (x: number, y: number) => void}} Handlers
 */

export class Gestures {
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();
  #dragging = false;
  #panning = false;
  #handlers;

  /** @param {Handlers} handlers `start` says whether the drag is a tool's (true) or moves the map (false) */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  get dragging() {
    return this.#dragging;
  }

  /** @param {PointerEvent} event with x, y in window pixels */
  down(event, x, y) {
    this.#pointers.set(event.pointerId, { x, y });
    if (this.#pointers.size === 1) {
      this.#dragging = this.#handlers.start(x, y, event);
      this.#panning = !this.#dragging;
    } else if (this.#dragging) {
      // A second finger: the first never meant to use the tool.
      this.#handlers.cancel();
      this.#dragging = false;
    }
  }

  /** @param {PointerEvent} event */
  move(event, x, y) {
    const last = this.#pointers.get(event.pointerId);
    if (!last) {
      this.#handlers.hover(x, y);
      return;
    }
    if (this.#pointers.size === 1) {
      this.#pointers.set(event.pointerId, { x, y });
      if (this.#dragging) this.#handlers.move(x, y, event);
      else if (this.#panning) this.#handlers.pan(x - last.x, y - last.y);
      this.#handlers.hover(x, y);
      return;
    }
    const before = this.#pair();
    this.#pointers.set(event.pointerId, { x, y });
    const after = this.#pair();
    this.#handlers.pan(after.x - before.x, after.y - before.y);
    if (before.span > 8 && after.span > 8) this.#handlers.zoom(after.span / before.span, after.x, after.y);
  }

  /** @param {PointerEvent} event */
  up(event, x, y) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#dragging) this.#handlers.end(x, y);
    this.#dragging = false;
    // One finger left of two goes on panning, so that lifting them one after the other does not jump.
    this.#panning = this.#pointers.size > 0;
  }

  /** Drop the tool's drag (Escape, or the system took the pointer). */
  abandon() {
    if (this.#dragging) this.#handlers.cancel();
    this.#dragging = false;
    this.#panning = false;
    this.#pointers.clear();
  }

  /** Middle of the first two pointers and the distance between them. */
  #pair() {
    const [a, b] = this.#pointers.values();
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, span: Math.hypot(a.x - b.x, a.y - b.y) };
  }
}

/** Zoom factor of a wheel event: lines, pages and pixels alike; a mouse notch is about a sixth. @param {WheelEvent} event */
export function wheelFactor(event) {
  const unit = event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1;
  const delta = Math.max(-240, Math.min(240, event.deltaY * unit));
  return Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.0015));
}
