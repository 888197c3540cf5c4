/** The outline of the brush at the pointer. An element of its own: moving it draws nothing else again. */
import { h } from "../page/dom.mjs";

export class BrushRing {
  node = h("div", { class: "brush-ring", "aria-hidden": "true", hidden: true });
  #place = null;
  #shown = "";

  /** @param {number|null} x window pixels, null when the pointer has left @param {number|null} y */
  move(x, y) {
    this.#place = x === null ? null : { x, y };
    this.#draw();
  }

  /** @param {boolean} on whether a brush is in the hand @param {number} diameter window pixels */
  update(on, diameter) {
    this.#shown = on ? `${Math.max(2, Math.round(diameter))}` : "";
    this.#draw();
  }

  #draw() {
    this.node.hidden = !this.#place || !this.#shown;
    if (this.node.hidden) return;
    const half = Number(this.#shown) / 2;
    this.node.style.width = this.node.style.height = `${this.#shown}px`;
    this.node.style.transform = `translate(${this.#place.x - half}px, ${this.#place.y - half}px)`;
  }
}
