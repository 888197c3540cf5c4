/**
 * <scene-canvas>: the map and everything around it but the panel. Knows nothing of Gradio: controls set `.settings` and
 * call `.generate()`; the element tells them about changes through the function given to `mount`.
 */
import { assemble } from "./assemble.mjs";
import { frameAtEnd } from "./geometry/frames.mjs";
import { bindKeys } from "./tools/key-bindings.mjs";
import { freePart, insets, nudgeInto } from "./page/layout.mjs";
import { isMaskTool } from "./mask/mask-tools.mjs";
import { fromXYWH } from "./geometry/rect.mjs";
import { PlaceKeeper, dismiss, recall } from "./scene/remembered.mjs";
import { PageParts } from "./page-parts.mjs";
import { SceneDrawing } from "./scene-drawing.mjs";
import { SceneSession } from "./scene/scene-session.mjs";
import { EMPTY, isOnMap, isOpen, jobFrame, modelInfo, reduce } from "./scene/store.mjs";
import { readColours } from "./map/theme.mjs";
import { View } from "./geometry/view.mjs";

/** @typedef {SceneCanvasElement} Page what the parts of the page know of each other */

export class SceneCanvasElement extends PageParts {
  view = new View();
  state = EMPTY;
  /** @type {import("./geometry/rect.mjs").Rect|null} the selected frame */
  frame = null;
  /** @type {import("./geometry/rect.mjs").Rect|null} where an extension would go */
  ghost = null;
  sceneId = "";
  /** @type {SceneSession} */
  session;
  drawing = new SceneDrawing(this);
  #ghostAsked = 0;
  #place = new PlaceKeeper(this);
  /** Where the panel is; measuring it costs a layout, so not while panning. @type {DOMRect|null|undefined} */
  #panelBox = undefined;
  /** What an open bar takes of the top of the map. */
  #barHeight = 0;
  #abort = new AbortController();

  connectedCallback() {
    this.#build();
    void this.#begin();
  }

  disconnectedCallback() {
    this.#abort.abort();
    this.drawing.stop();
    this.session?.close();
    this.map.clear();
    this.staging.clear();
  }

  #build() {
    this.replaceChildren(...assemble(this));
    document.getElementById("t2e-starting")?.remove(); // the frame that held the place
    const { signal } = this.#abort;
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this);
    const themes = new MutationObserver(() => this.#readTheme());
    themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    signal.addEventListener("abort", () => [observer, themes].forEach((each) => each.disconnect()));
    bindKeys(this, signal);
    this.files.listen(signal);
    this.theme.watch(signal);
    addEventListener("popstate", () => this.openScene(this.#idInUrl(), false), { signal });
    addEventListener("pagehide", () => this.#place.keep(), { signal });
    this.chooseTool("select");
    this.#resize();
    this.#readTheme();
  }

  // ---- scenes

  #idInUrl() {
    return new URL(location.href).searchParams.get("scene") ?? "";
  }

  async #begin() {
    const id = this.#idInUrl();
    if (id) this.openScene(id, false);
    else await this.openAny();
    this.panel.tell("restore");
    this.panel.checkPrompt();
  }

  /** The scene worked on last, or a new one. */
  async openAny() {
    await this.actions.run(async () => {
      const [newest] = await this.api.get("/scenes");
      this.openScene((newest ?? (await this.api.post("/scenes", {}))).id, false, true);
    }, () => this.openAny());
  }

  /** @param {string} id @param {boolean} push whether the browser's back button returns to the former scene */
  openScene(id, push = true, replace = false) {
    if (!id) return void this.openAny();
    this.#place.keep();
    this.session?.close();
    this.map.clear();
    this.staging.clear();
    this.sceneId = id;
    this.state = { ...EMPTY, model: this.state.model };
    this.frame = null;
    this.ghost = null;
    this.drawing.forgetHistory();
    this.notices.clear();
    this.layers.open(id);
    this.mask.open(id);
    this.regions.clear();
    this.chooseTool("select");
    const url = new URL(location.href);
    url.searchParams.set("scene", id);
    if (push) history.pushState(null, "", url);
    else if (replace) history.replaceState(null, "", url);
    this.session = new SceneSession(this.api, id, this);
    this.map.attach(this.session);
    this.session.listen();
    this.redraw();
  }

  /** Take an event or an answer into the state. @param {string} name @param {any} data */
  apply(name, data) {
    if (name === "scene" && data.id !== this.sceneId) return; // a late answer about the scene that was open before
    const before = this.state;
    this.state = reduce(before, name, data);
    if (!before.scene && this.state.scene) this.#arrive();
    // An answer to a request of our own, before the event that tells which tiles have changed.
    if (name === "scene" && !data.changed && data.revision > before.scene?.revision) this.session.tiles.invalidateAll();
    if (name === "model" && before.model.state !== "ready" && data.state === "ready") this.#modelReady();
    if (this.state.deleted && !before.deleted) this.hints.gone(() => this.openAny());
    if (name === "dismissed") dismiss(localStorage, data.id);
    if (name === "job" && data.state === "failed") {
      this.notices.show(data.error ?? "The job failed.", { error: true, action: { label: "Retry", run: () => this.actions.retry(data.id) } });
    }
    if (name === "job" && data.state === "done") this.files.finished(data);
    if (this.state.candidates !== before.candidates || (name === "job" && this.staging.shows(data.id))) this.staging.update();
    if (name === "model" || name === "hello") this.editCost.update();
    this.panel.describe();
    this.notices.check(this.state);
    this.redraw();
  }

  /** The scene is known for the first time: go where one was, or to what there is. */
  #arrive() {
    const place = recall(localStorage, this.sceneId);
    this.frame = place?.frame ?? this.actions.firstFrame();
    this.trail.moves = place?.moves ?? [];
    if (place) Object.assign(this.view, { cx: place.cx, cy: place.cy, scale: place.scale });
    else {
      this.fit();
      const last = this.state.jobs.filter(isOnMap).at(-1);
      if (last) this.frame = fromXYWH(last.request.frame);
      else if (this.state.scene.bounds) this.frame = frameAtEnd(fromXYWH(this.state.scene.bounds), modelInfo(this.state).window);
    }
    if (this.state.model.state === "ready") this.#modelReady();
  }

  #modelReady() {
    const { window } = modelInfo(this.state);
    // Until the model was known its window was a guess.
    if (this.state.scene?.empty && !this.state.jobs.length && this.frame?.w !== window) {
      this.frame = this.actions.firstFrame();
      this.fit();
    }
    this.panel.checkPrompt();
  }

  // ---- what the panel uses

  get settings() {
    return this.panel.settings;
  }

  set settings(patch) {
    this.panel.settings = patch;
  }

  /** Called after each submitted job. @param {number} seed of the job */
  afterSubmit(seed) {
    this.panel.showSeed(seed);
    this.hints.used("generate");
  }

  generate() {
    return this.actions.generate();
  }

  togglePanel() {
    document.body.classList.toggle("t2e-panel-hidden");
    this.redraw();
  }

  // ---- view and frame

  /** @param {() => void} change */
  moveView(change) {
    change();
    this.#place.keepSoon();
    this.drawing.mark("map", "status");
  }

  /** @param {import("./geometry/rect.mjs").Rect} frame */
  setFrame(frame) {
    this.frame = frame;
    this.ghost = null;
    this.#place.keepSoon();
    this.drawing.mark("map");
  }

  #insets() {
    if (this.#panelBox === undefined) {
      const box = document.getElementById("t2e-panel")?.getBoundingClientRect();
      this.#panelBox = box?.width ? box : null;
      this.#barHeight = Math.max(this.hints.reserved, ...[this.maskBar, this.regionBar].map(({ node }) => node.offsetHeight && node.offsetHeight + 8));
    }
    return this.finder.beside(insets(this.view.width, this.view.height, this.#panelBox, this.#barHeight), this.view.width);
  }

  /** Part of the window not under bars and panel. */
  get free() {
    return freePart(this.view.width, this.view.height, this.#insets());
  }

  fit() {
    const content = this.state.scene?.bounds ? fromXYWH(this.state.scene.bounds) : this.frame ?? this.actions.firstFrame();
    const margin = 0.12 * Math.max(content.w, content.h);
    const around = { x: content.x - margin, y: content.y - margin, w: content.w + 2 * margin, h: content.h + 2 * margin };
    this.moveView(() => this.view.fit(around, this.#insets()));
  }

  /** Zoom where no pointer says about what. @param {number} factor */
  zoom(factor) {
    this.moveView(() => this.view.zoomMiddle(factor, this.#insets()));
  }

  actualSize() {
    this.zoom(1 / this.view.scale);
  }

  lookAt(x, y) {
    this.moveView(() => this.view.centerOn(x, y, this.#insets()));
  }

  /** Bring a frame and its handles into sight. */
  reveal(frame) {
    const [dx, dy] = nudgeInto(this.view.rectToScreen(frame), this.free);
    if (dx || dy) this.moveView(() => this.view.panBy(dx, dy));
  }

  /** @param {import("./tools/pointer-tools.mjs").Tool} tool */
  chooseTool(tool) {
    if (tool !== "regions") this.regionTool.drop();
    if (tool !== "measure") this.measure.drop();
    this.pointer.tool = tool;
    this.surface.dataset.tool = tool;
    this.rail.update(tool);
    this.redraw();
  }

  /**
   * The panel's prompt shall hold in a region of the next fill.
   * @param {(regions: import("./regions/prompt-regions.mjs").PromptRegions, text: string) => string|null} add returns what is wrong
   */
  dropPrompt(add) {
    const wrong = add(this.regions, this.panel.request.prompt);
    if (wrong) this.notices.show(wrong);
  }

  /** The mask, or how it is drawn, has changed. @param {boolean} ended whether more than pixels changed */
  maskChanged(ended) {
    this.drawing.mark("mask");
    if (!ended) return;
    this.drawing.mark("bar");
    this.editCost.update();
    this.panel.describe();
  }

  /** While a mask is drawn, its strokes; otherwise the scene. */
  undo() {
    if (this.#masking && this.mask.canUndo) this.mask.undo();
    else void this.actions.step("undo");
  }

  redo() {
    if (this.#masking && this.mask.canRedo) this.mask.redo();
    else void this.actions.step("redo");
  }

  get #masking() {
    return !this.mask.empty || isMaskTool(this.pointer.tool);
  }

  async showGhost(direction) {
    const asked = ++this.#ghostAsked;
    this.ghost = null;
    this.redraw();
    if (!direction || !this.frame) return;
    const frame = await this.actions.nextFrame(direction).catch(() => null);
    if (asked !== this.#ghostAsked) return;
    this.ghost = frame;
    this.redraw();
  }

  // ---- drawing: only what is dirty, once per animation frame

  redraw() {
    this.#panelBox = undefined;
    this.drawing.mark("map", "chrome", "status");
  }

  redrawStatus() {
    this.drawing.mark("status");
  }

  #resize() {
    const box = this.getBoundingClientRect();
    this.view.resize(box.width, box.height);
    this.canvas.width = Math.round(this.view.width * devicePixelRatio);
    this.canvas.height = Math.round(this.view.height * devicePixelRatio);
    this.redraw();
    this.drawing.flush();
  }

  #readTheme() {
    const colours = readColours(this);
    this.map.colours = colours.map;
    Object.assign(this.overlay.colours, colours.overlay);
    this.map.fade = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.redraw();
  }

  /** Bitmaps held outside the JavaScript heap: for tests and benchmarks. */
  get liveBitmaps() {
    return (this.session?.tiles.cache.size ?? 0) + this.map.previews.size + this.staging.size;
  }
}

customElements.define("scene-canvas", SceneCanvasElement);

/**
 * Connect the element inside Gradio's component with its events.
 * @param {Element} host @param {(name: string) => void} trigger
 */
export function mount(host, trigger) {
  const element = /** @type {Page} */ (host.querySelector("scene-canvas"));
  element.panel.tell = trigger;
  trigger("restore");
  trigger("describe");
}
