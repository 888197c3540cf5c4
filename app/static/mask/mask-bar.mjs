/** The bar of the mask: brush, what can be done to the mask, and how the edit shall go. The panel's button asks for it. */
import { h } from "../page/dom.mjs";
import { MAX_BRUSH, isMaskTool } from "./mask-tools.mjs";

const GROW = 8; // px at a time
const CLOUDS = "Add the clouds and shadows in sight to the mask";
/** Buttons that make a mask where there is none. */
const WITHOUT_MASK = new Set(["invert", "clouds"]);

export class MaskBar {
  node;
  #page;
  #mask;
  #inputs = new Map();
  #buttons = new Map();
  #brush;

  /**
   * @param {import("../scene-canvas.mjs").Page} page, for the frame that `invert` fills and the layer that is worked in
   * @param {import("./mask-tools.mjs").MaskTools} mask @param {import("../actions.mjs").Actions} actions
   */
  constructor(page, mask, actions) {
    this.#page = page;
    this.#mask = mask;
    const button = (name, label, title, run) => {
      const node = h("button", { type: "button", class: "text-button plain", title, onclick: run }, label);
      this.#buttons.set(name, node);
      return node;
    };
    this.#brush = h(
      "div",
      { class: "brush-fields" },
      this.#slider("size", "Size", 1, MAX_BRUSH, 1, "px, [ and ] change it"),
      this.#slider("hardness", "Hardness", 0, 1, 0.05, "of the rim"),
    );
    this.node = h(
      "div",
      { class: "mask-bar", role: "group", "aria-label": "Mask", hidden: true },
      h(
        "div",
        { class: "group" },
        this.#brush,
        button("grow", "Grow", `Grow by ${GROW} px`, () => mask.apply({ kind: "grow", by: GROW })),
        button("shrink", "Shrink", `Shrink by ${GROW} px`, () => mask.apply({ kind: "grow", by: -GROW })),
        button("fill", "Close holes", "Add what the mask surrounds", () => mask.apply({ kind: "fill" })),
        button("invert", "Invert", "The frame without the mask", () => page.frame && mask.apply({ kind: "invert", rect: page.frame })),
        button("clouds", "Find clouds", CLOUDS, () => actions.edits.findClouds()),
        button("clear", "Clear", "Clear the mask", () => mask.clear()),
      ),
      h(
        "div",
        { class: "group" },
        this.#slider("strength", "Strength", 0.05, 1, 0.05, "how far it may go from what is there; 1 is anew"),
        this.#number("feather", "Feather", 0, 64, "px around the mask into which the new fades"),
        this.#number("variations", "Variations", 1, 8, "candidates to choose from"),
      ),
    );
  }

  #slider(name, label, min, max, step, help) {
    const value = h("output", { "aria-hidden": "true" });
    const input = h("input", { type: "range", min, max, step, "aria-label": `${label}, ${help}`, title: help });
    input.addEventListener("input", () => this.#mask.set({ [name]: Number(input.value) }));
    this.#inputs.set(name, { input, value, show: (number) => (max > 1 ? String(number) : `${Math.round(number * 100)} %`) });
    return h("label", { class: "field" }, h("span", {}, label), input, value);
  }

  #number(name, label, min, max, help) {
    const input = h("input", { type: "number", min, max, step: 1, "aria-label": `${label}, ${help}`, title: help });
    input.addEventListener("change", () => {
      const number = Math.round(Number(input.value));
      this.#mask.set({ [name]: Number.isFinite(number) ? Math.min(max, Math.max(min, number)) : min });
      input.value = String(this.#mask.settings[name]);
    });
    this.#inputs.set(name, { input, value: null, show: String });
    return h("label", { class: "field" }, h("span", {}, label), input);
  }

  /** @param {string} tool @param {import("../geometry/rect.mjs").Rect} free part of the window not covered */
  update(tool, free) {
    const drawing = isMaskTool(tool);
    this.node.hidden = !drawing && this.#mask.empty;
    if (this.node.hidden) return;
    this.node.style.left = `${Math.round(free.x + 8)}px`;
    this.node.style.maxWidth = `${Math.round(free.w - 16)}px`;
    this.#brush.hidden = tool !== "brush" && tool !== "eraser";
    for (const [name, { input, value, show }] of this.#inputs) {
      const now = this.#mask.settings[name];
      if (document.activeElement !== input || input.type === "range") input.value = String(now);
      if (value) value.textContent = show(now);
    }
    for (const [name, button] of this.#buttons) button.disabled = !WITHOUT_MASK.has(name) && this.#mask.empty;
    const clouds = this.#buttons.get("clouds");
    clouds.disabled = this.#page.layers.active !== "rgb";
    clouds.title = clouds.disabled ? "Clouds are found in colours: choose the layer RGB" : CLOUDS;
  }
}
