/** The layers of the open scene as this page looks at them: which is worked in, what is drawn, and the parts that show it. */
import { AdapterPanel } from "./adapter-panel.mjs";
import { eraseLayer } from "./erase-layer.mjs";
import { LayerList } from "./layer-list.mjs";
import { LayerToggle } from "./layer-toggle.mjs";
import { NAMES, filled, layerOf, whyNot } from "./layers.mjs";
import { Looks } from "./looks.mjs";
import { SwipeLine } from "./swipe-line.mjs";
import { translateLayer } from "./translate.mjs";
import * as state from "./view-state.mjs";

/**
 * @typedef {import("./layers.mjs").Layer} Layer
 * @typedef {import("./layers.mjs").Shown} Shown
 * @typedef {{name: Shown, opacity: number, look: import("./looks.mjs").Colours, counted: boolean, from: number, to: number}} Drawn
 *   one layer of the map; from, to: the part of the window's width that it is drawn in, 0 to 1
 */

export class SceneLayers {
  /** @type {state.LayerView} */
  view = state.initial();
  looks = new Looks(() => this.#page.redraw());
  adapters;
  swipe;
  #page;
  #api;
  #toggle;
  #list;

  /** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
    this.#toggle = new LayerToggle((layer) => this.choose(layer));
    this.#list = new LayerList({
      choose: (layer) => this.choose(layer),
      change: (name, patch) => this.#set(state.changed(this.view, name, patch)),
      move: (name, by) => this.#move(name, by),
      drag: (name, by) => {
        this.#move(name, by);
        page.drawing.flush();
      },
      erase: (layer) => eraseLayer(page, api, layer),
      swipe: () => this.toggleSwipe(),
      translate: () => this.translate(),
    });
    this.adapters = new AdapterPanel(page, api);
    this.swipe = new SwipeLine({
      set: (patch) => this.#keep({ ...this.view, swipe: { ...this.view.swipe, ...patch } }),
      end: () => this.endSwipe(),
    });
  }

  /** Another scene is open. @param {string} scene */
  open(scene) {
    this.looks.clear();
    this.view = state.load(localStorage, scene);
  }

  /** The layer that is worked in. */
  get active() {
    return this.view.active;
  }

  /** What goes with a request. */
  get request() {
    return { layer: this.active, adapters: this.adapters.chosen };
  }

  /** What the list has, bottom to top. */
  get rows() {
    return state.listed(this.view, filled(this.#page.state.scene));
  }

  /** Work in a layer from now on. @param {Layer} layer */
  choose(layer) {
    const { notices, state: now } = this.#page;
    const why = whyNot(now.model, layer);
    // What is there can be erased and looked at, whether or not more of it can be made.
    if (why && !filled(now.scene).includes(layer)) return notices.show(why);
    this.#page.ghost = null;
    this.#set(state.chosen(this.view, layer));
  }

  /** Something was put into layers: they are to be seen, colours first. @param {string[]} layers */
  reveal(layers) {
    for (const name of NAMES.toReversed()) if (layers.includes(name)) this.#set(state.raised(this.view, name));
  }

  /** What is drawn, bottom to top: what holds anything, and what is just being made. @returns {Drawn[]} */
  get drawn() {
    const { map, state: now } = this.#page;
    const working = [...map.previews.values()].map(({ layer }) => layer);
    const rows = state.listed(this.view, [...new Set([...filled(now.scene), ...working])]);
    const drawn = (row, more) => ({ name: row.name, look: this.looks.of(row), counted: row.display.stretch === "view", opacity: row.opacity, from: 0, to: 1, ...more });
    const swipe = this.#swiping;
    if (!swipe) return rows.filter(({ visible }) => visible).map((row) => drawn(row, {}));
    const row = (name) => this.view.rows.find((one) => one.name === name);
    return [drawn(row(swipe.left), { opacity: 1, to: swipe.at }), drawn(row(swipe.right), { opacity: 1, from: swipe.at })];
  }

  /** The swipe that is open: both of its layers hold something. */
  get #swiping() {
    const { swipe } = this.view;
    const names = this.rows.map((row) => row.name);
    return swipe && names.includes(swipe.left) && names.includes(swipe.right) ? swipe : null;
  }

  /** Make a layer from another one. */
  translate() {
    translateLayer(this.#page, this.#api);
  }

  toggleSwipe() {
    if (this.view.swipe) return this.endSwipe();
    const rows = this.rows;
    if (rows.length < 2) return this.#page.notices.show("Swipe compares two layers: this scene has only one.");
    const { free, view } = this.#page;
    this.#set({ ...this.view, swipe: state.firstSwipe(rows, (free.x + free.w / 2) / view.width) });
    this.#page.drawing.flush();
    this.swipe.focus();
  }

  endSwipe() {
    if (!this.view.swipe) return;
    const held = this.swipe.hasFocus;
    this.#set({ ...this.view, swipe: null });
    if (held) this.#page.surface.focus();
  }

  /** The settings of a step go back into the panel, its layer and adapters too. @param {import("../scene/store.mjs").Wanted} request */
  reuse(request) {
    this.adapters.take(request.adapters ?? []);
    this.choose(layerOf(request));
  }

  /** @param {Shown} name @param {1|-1} by 1 is up */
  #move(name, by) {
    this.#set(state.moved(this.view, name, by, this.rows.map((row) => row.name)));
  }

  /** @param {state.LayerView} view */
  #set(view) {
    this.#keep(view);
    this.#page.panel.describe();
    this.#page.redraw();
  }

  /** As `#set`, of what shows on the map alone: a drag changes it a hundred times. @param {state.LayerView} view */
  #keep(view) {
    this.view = view;
    state.save(localStorage, this.#page.sceneId, view);
    this.#page.drawing.mark("map");
  }

  /** Gradio builds what is in its accordion anew each time it is opened. */
  adaptersOpened(tries = 60) {
    if (!this.adapters.show() && tries) requestAnimationFrame(() => this.adaptersOpened(tries - 1));
  }

  /** Show in the panel what holds now. */
  show() {
    const { model, scene } = this.#page.state;
    const rows = this.rows;
    const needed = rows.length > 1 || this.active !== "rgb" || rows.some(({ name }) => name !== "rgb");
    this.#toggle.show(this.active, (layer) => whyNot(model, layer));
    this.#list.show(needed ? rows : [], this.active, { swiping: Boolean(this.view.swipe), looks: this.looks, scene: scene?.id ?? "" });
    this.adapters.show();
  }

  /** @param {import("../geometry/view.mjs").View} view @param {import("../geometry/rect.mjs").Rect} free part of the window not covered */
  place(view, free) {
    this.swipe.update(this.#swiping, this.rows.map(({ name }) => name), view, free);
  }
}
