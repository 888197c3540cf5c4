/** The layers of the scene in the panel, the highest first: seen or not, how strongly, in which order, in which colours. */
import { DisplayFields } from "./display-fields.mjs";
import { h, icon, iconButton, keyed, setText } from "../page/dom.mjs";
import { FALSE_COLOUR, LAYERS, titleOf } from "./layers.mjs";
import { dragRows } from "./row-drag.mjs";
import { slot } from "../panel/panel-slots.mjs";

/**
 * @typedef {import("./layers.mjs").Layer} Layer
 * @typedef {import("./layers.mjs").Shown} Shown
 * @typedef {import("./view-state.mjs").Row & {active: boolean, first: boolean, last: boolean, range: {low: number, high: number}|null}} ListRow
 * @typedef {{choose: (layer: Layer) => void, change: (name: Shown, patch: Partial<import("./view-state.mjs").Row>) => void,
 *   move: (name: Shown, by: 1|-1) => void, drag: (name: Shown, by: 1|-1) => void, erase: (layer: Layer) => void, swipe: () => void, translate: () => void}} ListActions
 *   by: 1 is up; drag: as move, shown in the list at once
 */

const ABOUT_FALSE_COLOUR = "False colour: near infrared, red and green, so that vegetation is red";

export class LayerList {
  #actions;
  #node;
  #rows = h("ul", { class: "layer-rows", "aria-label": "Layers, the highest first" });
  #swipe;
  #scene = "";

  /** @param {ListActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#swipe = iconButton("swipe", "Compare two layers", actions.swipe, "S");
    const make = iconButton("turn", "Make a layer from another …", actions.translate);
    dragRows(this.#rows, ".layer-grip, .layer-name", (name, by) => actions.drag(/** @type {Shown} */ (name), by > 0 ? -1 : 1));
    this.#node = h("div", { class: "layer-list" }, h("div", { class: "row-line" }, h("h2", {}, "Layers"), make, this.#swipe), this.#rows);
  }

  /**
   * @param {import("./view-state.mjs").Row[]} rows bottom to top; none hides the list @param {Layer} active
   * @param {{swiping: boolean, looks: import("./looks.mjs").Looks, scene: string}} more
   */
  show(rows, active, { swiping, looks, scene }) {
    const place = slot("layers");
    if (!place) return;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    place.closest("#t2e-layers-section")?.classList.toggle("is-empty", rows.length === 0);
    if (scene !== this.#scene) this.#rows.replaceChildren(); // open fields belong to the scene
    this.#scene = scene;
    this.#swipe.setAttribute("aria-pressed", String(swiping));
    this.#swipe.disabled = rows.length < 2;
    const top = rows.length - 1;
    /** @type {ListRow[]} */
    const told = rows.map((row, n) => ({ ...row, active: row.name === active, first: n === top, last: n === 0, range: looks.range(row.name) }));
    const focus = document.activeElement;
    keyed(this.#rows, told.reverse(), (row) => row.name, (row) => this.#row(row));
    // A row that is moved in the document loses the focus: it stays with the button that moved it.
    if (focus instanceof HTMLElement && focus !== document.activeElement && this.#rows.contains(focus)) focus.focus();
  }

  /** @param {ListRow} row */
  #row({ name }) {
    const { choose, change, move, erase } = this.#actions;
    const title = titleOf(name);
    const isLayer = name !== FALSE_COLOUR;
    let now;
    const eye = h("button", { type: "button", class: "icon-button eye", onclick: () => change(name, { visible: !now.visible }) });
    const about = LAYERS.find((layer) => layer.name === name)?.about ?? ABOUT_FALSE_COLOUR;
    const label = isLayer
      ? h("button", { type: "button", class: "layer-name", title: `${about}. Press to work in it.`, onclick: () => choose(/** @type {Layer} */ (name)) }, title)
      : h("span", { class: "layer-name", title: about }, title);
    const opacity = h("input", { type: "range", min: 0, max: 100, step: 1, "aria-label": `Opacity of ${title}, per cent` });
    opacity.addEventListener("input", () => change(name, { opacity: Number(opacity.value) / 100 }));
    const up = iconButton("up", `${title}: up`, () => move(name, 1));
    const down = iconButton("down", `${title}: down`, () => move(name, -1));
    const fields = isLayer && name !== "rgb" ? new DisplayFields(title, (patch) => change(name, { display: { ...now.display, ...patch } })) : null;
    const tune = fields && iconButton("tune", `${title}: stretch and colours`, () => {
      fields.node.hidden = !fields.node.hidden;
      tune.setAttribute("aria-expanded", String(!fields.node.hidden));
    });
    tune?.setAttribute("aria-expanded", "false");
    const remove = isLayer ? iconButton("trash", `Erase the layer ${title} …`, () => erase(/** @type {Layer} */ (name))) : null;
    // Drawn by the style sheet; the buttons beside it do the same for the keyboard.
    const grip = h("span", { class: "layer-grip", title: "Drag to another place", "aria-hidden": "true" });
    const line = h("div", { class: "layer-line" }, grip, eye, label, opacity, up, down, tune ?? h("span"), remove ?? h("span"));
    const node = h("li", { class: "layer-row" }, line, fields?.node);
    const update = (row) => {
      now = row;
      const word = row.visible ? "Hide" : "Show";
      if (eye.dataset.visible !== String(row.visible)) eye.replaceChildren(icon(row.visible ? "eye" : "eyeOff"));
      eye.dataset.visible = String(row.visible);
      eye.setAttribute("aria-label", `${word} ${title}`);
      eye.title = word;
      node.classList.toggle("unseen", !row.visible);
      node.classList.toggle("active", row.active);
      if (isLayer) label.setAttribute("aria-pressed", String(row.active));
      opacity.value = String(Math.round(row.opacity * 100));
      opacity.title = `Opacity ${opacity.value} %`;
      up.disabled = row.first;
      down.disabled = row.last;
      fields?.update(row.display, row.range);
    };
    return Object.assign(node, { update });
  }
}
