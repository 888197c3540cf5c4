/** The bar of a region fill: the prompts that were dropped on the map, and the button that fills. */
import { h, icon, iconButton, keyed, setText } from "./dom.mjs";
import { MAX_FEATHER } from "./prompt-regions.mjs";

export class RegionBar {
  node;
  #regions;
  #list;
  #feather;
  #hint;
  #buttons;

  /** @param {import("./prompt-regions.mjs").PromptRegions} regions @param {() => void} fill */
  constructor(regions, fill) {
    this.#regions = regions;
    this.#list = h("div", { class: "region-list", role: "list" });
    this.#hint = h("span", { class: "field" }, "Write a prompt, then drag the region it holds for; several meet softly.");
    this.#feather = h("input", { type: "number", min: 0, max: MAX_FEATHER, step: 8, "aria-label": "Feather, px over which neighbouring prompts meet" });
    this.#feather.addEventListener("change", () => {
      const number = Math.round(Number(this.#feather.value));
      regions.feather = Number.isFinite(number) ? Math.min(MAX_FEATHER, Math.max(0, number)) : 0;
      this.#feather.value = String(regions.feather);
    });
    this.#buttons = h(
      "div",
      { class: "group" },
      h("label", { class: "field" }, h("span", {}, "Feather"), this.#feather),
      h("button", { type: "button", class: "text-button plain", title: "Remove all regions", onclick: () => regions.clear() }, "Clear"),
      h("button", { type: "button", class: "primary", title: "Fill what is empty in the regions (Ctrl+Enter)", onclick: fill }, icon("regions"), "Fill"),
    );
    this.node = h("div", { class: "mask-bar region-bar", role: "group", "aria-label": "Regions", hidden: true }, this.#hint, this.#list, this.#buttons);
  }

  /** @param {string} tool @param {import("./rect.mjs").Rect} free part of the window not covered @param {boolean} taken whether another bar is in its place */
  update(tool, free, taken) {
    const { list, empty, feather } = this.#regions;
    this.node.hidden = taken || (tool !== "regions" && empty);
    if (this.node.hidden) return;
    this.node.style.left = `${Math.round(free.x + 8)}px`;
    this.node.style.maxWidth = `${Math.round(free.w - 16)}px`;
    this.#hint.hidden = !empty;
    this.#buttons.hidden = empty;
    if (document.activeElement !== this.#feather) this.#feather.value = String(feather);
    keyed(this.#list, list, (region) => region.key, (region) => this.#row(region));
  }

  #row(region) {
    const number = h("span", { class: "number" });
    const input = h("input", { type: "text", maxlength: 2000, placeholder: "anything" });
    input.addEventListener("input", () => this.#regions.write(region.key, input.value));
    const row = h("div", { class: "region", role: "listitem" }, number, input, iconButton("close", "Remove this region", () => this.#regions.remove(region.key)));
    row.update = ({ key, text }) => {
      const place = this.#regions.list.findIndex((each) => each.key === key) + 1;
      setText(number, String(place));
      input.setAttribute("aria-label", `Prompt of region ${place}`);
      if (document.activeElement !== input) input.value = text;
    };
    return row;
  }
}
