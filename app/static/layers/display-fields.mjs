/** How a layer of one band is shown: the values that become dark and bright, and the colours. */
import { MAPS, STRETCHES } from "./display.mjs";
import { h, setText } from "../page/dom.mjs";

export class DisplayFields {
  node;
  #stretch;
  #map;
  #low;
  #high;
  #numbers;
  #told = h("p", { class: "layer-told", "aria-live": "polite" });
  #ramp = h("span", { class: "layer-ramp", "aria-hidden": "true" });

  /** @param {string} title of the layer @param {(patch: Partial<import("./display.mjs").Display>) => void} change */
  constructor(title, change) {
    const select = (label, options) => h("select", { "aria-label": `${label} of ${title}` }, ...options.map(([value, text]) => h("option", { value }, text)));
    this.#stretch = select("Stretch", STRETCHES.map(({ stretch, label }) => [stretch, label]));
    this.#map = select("Colours", Object.entries(MAPS).map(([name, { label }]) => [name, label]));
    this.#stretch.addEventListener("change", () => change({ stretch: /** @type {import("./display.mjs").Stretch} */ (this.#stretch.value) }));
    this.#map.addEventListener("change", () => change({ map: this.#map.value }));
    const number = (label) => h("input", { type: "number", min: 0, max: 255, step: 1, "aria-label": `${label} value of ${title}` });
    this.#low = number("Darkest");
    this.#high = number("Brightest");
    // What is lower than the other, or no number, goes as far as it can.
    this.#low.addEventListener("change", () => change({ low: bounded(this.#low.value, 0, Number(this.#high.value) - 1) }));
    this.#high.addEventListener("change", () => change({ high: bounded(this.#high.value, Number(this.#low.value) + 1, 255) }));
    this.#numbers = h("div", { class: "layer-pair" }, h("label", {}, h("span", {}, "from"), this.#low), h("label", {}, h("span", {}, "to"), this.#high));
    this.node = h("div", { class: "layer-display", hidden: true }, this.#stretch, this.#numbers, this.#told, h("div", { class: "layer-pair" }, this.#map, this.#ramp));
  }

  /** @param {import("./display.mjs").Display} display @param {{low: number, high: number}|null} range that the view has decided on */
  update({ stretch, low, high, map }, range) {
    this.#stretch.value = stretch;
    this.#map.value = map;
    if (document.activeElement !== this.#low) this.#low.value = String(low);
    if (document.activeElement !== this.#high) this.#high.value = String(high);
    this.#numbers.hidden = stretch !== "fixed";
    this.#told.hidden = stretch !== "view" || !range;
    if (range) setText(this.#told, `now ${range.low} to ${range.high}`);
    this.#ramp.style.background = `linear-gradient(to right, ${MAPS[map].stops.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;
  }
}

/** @param {string} text @param {number} low @param {number} high */
function bounded(text, low, high) {
  const number = Math.round(Number(text));
  return Math.max(low, Math.min(high, Number.isFinite(number) ? number : low));
}
