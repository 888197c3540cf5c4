/** Draws what is dirty, once per animation frame; nothing runs while nothing changes. */

/** @typedef {"map"|"mask"|"bar"|"chrome"|"status"} Part */
const KEPT = 1200;

export class FrameLoop {
  /** Main-thread milliseconds of the last drawings, for benchmarks. @type {number[]} */
  times = [];
  /** @type {Set<Part>} */
  #dirty = new Set();
  #request = 0;
  #draw;

  /** @param {(dirty: Set<Part>, now: number) => Part[]} draw returns the parts that are still moving */
  constructor(draw) {
    this.#draw = draw;
  }

  /** @param {...Part} parts */
  mark(...parts) {
    for (const part of parts) this.#dirty.add(part);
    this.#request ||= requestAnimationFrame((now) => this.#run(now));
  }

  /** Draw at once, before the browser paints: a resized canvas is black until it is drawn. */
  flush() {
    cancelAnimationFrame(this.#request);
    this.#run(performance.now());
  }

  #run(now) {
    const began = performance.now();
    const dirty = this.#dirty;
    this.#request = 0;
    this.#dirty = new Set();
    const moving = this.#draw(dirty, now);
    if (moving.length) this.mark(...moving);
    this.times.push(performance.now() - began);
    if (this.times.length > KEPT) this.times.splice(0, KEPT / 2);
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.#request = -1; // marks after the end request nothing
  }
}
