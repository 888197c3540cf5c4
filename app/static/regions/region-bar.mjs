/** The bar of a region fill: the shapes it is drawn with, the prompts that were dropped on the map. The panel's button fills them. */
import { h, icon, iconButton, keyed, setText } from "../page/dom.mjs";
import { MAX_FEATHER } from "./prompt-regions.mjs";

/** @type {[import("./region-tool.mjs").Shape, import("../page/dom.mjs").IconName, string, string][]} */
const SHAPES = [
  ["rectangle", "rectangle", "Rectangle", "Write a prompt, then drag the rectangle it holds for."],
  ["polygon", "polygon", "Polygon", "Write a prompt, then click the corners of its region; Enter or the first corner closes it."],
  ["lasso", "lasso", "Lasso", "Write a prompt, then draw around the region it holds for."],
];

export class RegionBar {
  node;
  #regions;
  #tool;
  #list;
  #feather;
  #between;
  #betweenField;
  #hint;
  #shapes = new Map();
  #settings;

  /**
   * @param {import("./prompt-regions.mjs").PromptRegions} regions @param {import("./region-tool.mjs").RegionTool} tool
   */
  constructor(regions, tool) {
    this.#regions = regions;
    this.#tool = tool;
    this.#list = h("div", { class: "region-list", role: "list" });
    this.#hint = h("span", { class: "field hint" });
    for (const [shape, name, label] of SHAPES) {
      this.#shapes.set(shape, h("button", { type: "button", class: "icon-button", "aria-label": `Draw a ${label.toLowerCase()}`, title: label, onclick: () => tool.choose(shape) }, icon(name)));
    }
    this.#feather = h("input", { type: "number", min: 0, max: MAX_FEATHER, step: 8, "aria-label": "Feather, px over which neighbouring prompts meet" });
    this.#feather.addEventListener("change", () => {
      const number = Math.round(Number(this.#feather.value));
      regions.feather = Number.isFinite(number) ? Math.min(MAX_FEATHER, Math.max(0, number)) : 0;
      this.#feather.value = String(regions.feather);
    });
    this.#between = h("input", { type: "checkbox" });
    this.#between.addEventListener("change", () => {
      regions.between = this.#between.checked;
    });
    this.#betweenField = h("label", { class: "field", title: "Fill the whole rectangle around the regions" }, this.#between, h("span", {}, "Fill between"));
    this.#settings = h(
      "div",
      { class: "group" },
      h("label", { class: "field" }, h("span", {}, "Feather"), this.#feather),
      this.#betweenField,
      h("button", { type: "button", class: "text-button plain", title: "Remove all regions", onclick: () => regions.clear() }, "Clear"),
    );
    const shapes = h("div", { class: "shapes", role: "group", "aria-label": "Shape of a region" }, ...this.#shapes.values());
    this.node = h(
      "div",
      { class: "mask-bar region-bar", role: "group", "aria-label": "Regions", hidden: true },
      h("div", { class: "group" }, shapes, this.#hint),
      this.#list,
      this.#settings,
    );
  }

  /** @param {string} tool @param {import("../geometry/rect.mjs").Rect} free part of the window not covered @param {boolean} taken whether another bar is in its place */
  update(tool, free, taken) {
    const { list, empty, feather, between } = this.#regions;
    this.node.hidden = taken || (tool !== "regions" && empty);
    if (this.node.hidden) return;
    this.node.style.left = `${Math.round(free.x + 8)}px`;
    this.node.style.maxWidth = `${Math.round(free.w - 16)}px`;
    for (const [shape, button] of this.#shapes) button.setAttribute("aria-pressed", String(tool === "regions" && shape === this.#tool.shape));
    setText(this.#hint, empty ? SHAPES.find(([shape]) => shape === this.#tool.shape)[3] : "");
    this.#settings.hidden = empty;
    this.#betweenField.hidden = list.length < 2;
    this.#between.checked = between;
    if (document.activeElement !== this.#feather) this.#feather.value = String(feather);
    keyed(this.#list, list, (region) => region.key, (region) => this.#row(region));
  }

  #row(region) {
    const number = h("span", { class: "number", style: `background: ${region.colour}` });
    const input = h("input", { type: "text", maxlength: 2000, placeholder: "anything" });
    input.addEventListener("input", () => this.#regions.write(region.key, input.value));
    const row = h("div", { class: "region", role: "listitem" }, number, input, iconButton("close", "Remove this region", () => this.#regions.remove(region.key)));
    const update = ({ key, text }) => {
      const place = this.#regions.list.findIndex((each) => each.key === key) + 1;
      setText(number, String(place));
      input.setAttribute("aria-label", `Prompt of region ${place}`);
      if (document.activeElement !== input) input.value = text;
    };
    return Object.assign(row, { update });
  }
}
