/** The tools, on the left; on a narrow window behind one button that shows the tool in the hand. */
import { h, icon } from "../page/dom.mjs";

/** @typedef {import("./pointer-tools.mjs").Tool} Tool */
/** @type {[Tool, string, string][]} name of its icon too, what it does, key */
const TOOLS = [
  ["select", "Select", "V"],
  ["frame", "Frame", "F"],
  ["brush", "Brush: paint the mask", "B"],
  ["eraser", "Eraser: take from the mask", "E"],
  ["lasso", "Lasso: outline the mask", "L"],
  ["rectangle", "Rectangle of the mask", "R"],
  ["regions", "Regions: prompts for parts of a large fill", "M"],
  ["measure", "Measure: distance and area", "U"],
  ["erase", "Erase region to empty", "D"],
  ["hand", "Hand", "H"],
];

export class ToolRail {
  node = h("div", { class: "tool-rail", role: "toolbar", "aria-label": "Tools", "aria-orientation": "vertical" });
  #buttons = new Map();
  #tools = h("div", { class: "tools" });
  #open = h("button", { type: "button", class: "icon-button open-tools", "aria-label": "Tools", title: "Tools", "aria-expanded": "false" });

  /** @param {(tool: Tool) => void} choose @param {(factor: number) => void} zoom @param {() => void} fit */
  constructor(choose, zoom, fit) {
    for (const [tool, label, key] of TOOLS) {
      const attributes = { type: "button", class: "icon-button", "aria-label": label, title: `${label} (${key})`, "data-tool": tool };
      const run = () => {
        this.#show(false);
        choose(tool);
      };
      const button = h("button", { ...attributes, onclick: run }, icon(tool));
      this.#buttons.set(tool, button);
      this.#tools.append(button);
    }
    this.#open.addEventListener("click", () => this.#show(!this.node.classList.contains("is-open")));
    const plain = (name, label, key, run) =>
      h("button", { type: "button", class: "icon-button", "aria-label": label, title: `${label} (${key})`, onclick: run }, icon(name));
    this.node.append(
      this.#open,
      this.#tools,
      h("hr"),
      plain("plus", "Zoom in", "+", () => zoom(1.5)),
      plain("minus", "Zoom out", "-", () => zoom(1 / 1.5)),
      plain("fit", "Fit to content", "0", fit),
    );
  }

  /** @param {boolean} open whether all tools are in sight */
  #show(open) {
    this.node.classList.toggle("is-open", open);
    this.#open.setAttribute("aria-expanded", String(open));
  }

  /** @param {Tool} tool */
  update(tool) {
    this.#open.replaceChildren(icon(tool));
    for (const [name, button] of this.#buttons) button.setAttribute("aria-pressed", String(name === tool));
  }
}
