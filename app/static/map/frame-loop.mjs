/** Draws what is dirty, once per animation frame; nothing runs while nothing changes. */

/** @typedef {"map"|"mask"|"bar"|"chrome"|"status"} Part */

export class FrameLoop {
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
    const dirty = this.#dirty;
    this.#request = 0;
    this.#dirty = new Set();
    const moving = this.#draw(dirty, now);
    if (moving.length) this.mark(...moving);
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.#request = -1; // marks after the end request nothing
  }
}
