/** Over the prompt: which layer the next generation, extension, edit, fill and erasure make. */
import { h } from "../page/dom.mjs";
import { LAYERS } from "./layers.mjs";
import { slot } from "../panel/panel-slots.mjs";

const FIRST_KEY = 2; // 0 and 1 are the view's

export class LayerToggle {
  #buttons = new Map();
  #node;

  /** @param {(layer: import("./layers.mjs").Layer) => void} choose also one that cannot be made: whoever chooses says why */
  constructor(choose) {
    for (const { name, title } of LAYERS) {
      this.#buttons.set(name, h("button", { type: "button", class: "segment", onclick: () => choose(name) }, title));
    }
    this.#node = h(
      "div",
      { class: "layer-toggle", role: "group", "aria-label": "Layer that is made" },
      h("span", { class: "label", "aria-hidden": "true" }, "Layer"),
      h("div", { class: "segments" }, ...this.#buttons.values()),
    );
  }

  /** @param {string} active @param {(layer: import("./layers.mjs").Layer) => string|null} why what keeps a layer from being made */
  show(active, why) {
    const place = slot("layer");
    if (!place) return;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    for (const [n, { name, about }] of LAYERS.entries()) {
      const button = this.#buttons.get(name);
      const reason = why(name);
      button.setAttribute("aria-pressed", String(name === active));
      if (reason) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
      button.title = reason ?? `${about} (${FIRST_KEY + n})`;
    }
  }
}
