/**
 * <scene-canvas>: the map and everything around it but the panel. Knows nothing of Gradio: controls set `.settings` and
 * call `.generate()`; the element tells them about changes through the function given to `mount`.
 */
import { Actions } from "./actions.mjs";
import { h } from "./dom.mjs";
import { FrameLoop } from "./frame-loop.mjs";
import { Hints } from "./hints.mjs";
import { bindKeys } from "./key-bindings.mjs";
import { freePart, insets, nudgeInto } from "./layout.mjs";
import { MapLayer } from "./map-layer.mjs";
import { Markers } from "./markers.mjs";
import { Notices } from "./notices.mjs";
import { OverlayLayer } from "./overlay-layer.mjs";
import { PanelLink } from "./panel-link.mjs";
import { QueueList, showHistory, slot } from "./panel-slots.mjs";
import { PointerTools } from "./pointer-tools.mjs";
import { fromXYWH } from "./rect.mjs";
import { recall, remember } from "./remembered.mjs";
import { SceneSession } from "./scene-session.mjs";
import { StatusBar } from "./status-bar.mjs";
import { EMPTY, isOpen, modelInfo, reduce } from "./store.mjs";
import { readColours } from "./theme.mjs";
import { ToolRail } from "./tool-rail.mjs";
import { TopBar } from "./top-bar.mjs";
import { Api } from "./transport.mjs";
import { View } from "./view.mjs";

const SAVE_MS = 400;

export class SceneCanvasElement extends HTMLElement {
  view = new View();
  state = EMPTY;
  /** @type {import("./rect.mjs").Rect|null} the selected frame */
  frame = null;
  sceneId = "";
  /** @type {SceneSession} */
  session;
  #ghost = null;
  #ghostAsked = 0;
  #placeTimer = 0;
  #historyOf = "";
  #abort = new AbortController();

  #loop = new FrameLoop((dirty, now) => this.#draw(dirty, now));

  connectedCallback() {
    this.#build();
    void this.#begin();
  }

  disconnectedCallback() {
    this.#abort.abort();
    this.#loop.stop();
    this.session?.close();
    this.map.clear();
  }

  #build() {
    const api = new Api();
    this.api = api;
    this.panel = new PanelLink(api, () => this.state);
    this.actions = new Actions(this, api);
    this.notices = new Notices();
    this.hints = new Hints(this);
    const map = h("canvas", { class: "map-layer", "aria-hidden": "true" });
    const overlay = h("canvas", { class: "overlay-layer", "aria-hidden": "true" });
    const label = "Scene map. Arrow keys move the frame, Alt and an arrow key extend the scene, question mark lists all keys.";
    this.surface = h("div", { class: "surface", tabindex: "0", role: "application", "aria-label": label }, map, overlay);
    this.canvases = [map, overlay];
    this.overlay = new OverlayLayer(overlay, this.view);
    this.mapCanvas = map;
    this.map = new MapLayer(map, this.view);
    this.markers = new Markers({
      extend: (direction, count) => this.actions.extend(direction, count),
      hover: (direction) => this.#showGhost(direction),
      cancel: (job) => this.actions.cancel(job),
    });
    this.pointer = new PointerTools(this.surface, this);
    this.rail = new ToolRail((tool) => this.chooseTool(tool), (factor) => this.moveView(() => this.view.zoomAt(factor)), () => this.fit());
    this.status = new StatusBar(() => this.actions.goTo(), () => this.actualSize());
    this.queue = new QueueList({
      cancel: (id) => this.actions.cancel(id),
      retry: (id) => this.actions.retry(id),
      move: (id, position) => this.actions.move(id, position),
      dismiss: (id) => this.apply("dismissed", { id }),
      look: (frame) => this.actions.look(frame),
    });
    this.bar = new TopBar({
      menu: () => this.#menu(),
      undo: () => this.actions.step("undo"),
      redo: () => this.actions.step("redo"),
      goTo: () => this.actions.goTo(),
      exportImage: () => this.actions.download("/export?format=png"),
      help: () => this.actions.help(),
      panel: () => this.togglePanel(),
    });
    this.replaceChildren(this.surface, this.markers.node, this.hints.node, this.bar.node, this.rail.node, this.notices.node, this.status.node);
    const { signal } = this.#abort;
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this);
    signal.addEventListener("abort", () => observer.disconnect());
    const themes = new MutationObserver(() => this.#readTheme());
    themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    signal.addEventListener("abort", () => themes.disconnect());
    bindKeys(this, signal);
    addEventListener("popstate", () => this.openScene(this.#idInUrl(), false), { signal });
    addEventListener("pagehide", () => this.#rememberPlace(), { signal });
    this.chooseTool("select");
    this.#resize();
    this.#readTheme();
  }

  #menu() {
    return [
      { label: "New scene", run: () => this.actions.newScene() },
      { label: "Open …", run: () => this.actions.chooseScene() },
      { label: "Open an example", run: () => this.actions.example() },
      null,
      { label: "Rename …", run: () => this.actions.rename() },
      { label: "Duplicate", run: () => this.actions.duplicate() },
      { label: "Download scene file", run: () => this.actions.download("/file") },
      { label: "Upload scene file …", run: () => this.actions.pickUpload() },
      null,
      { label: "Delete …", run: () => this.actions.remove(), danger: true },
    ];
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
    this.#rememberPlace();
    this.session?.close();
    this.map.clear();
    this.sceneId = id;
    this.state = { ...EMPTY, model: this.state.model };
    this.frame = null;
    this.#ghost = null;
    this.#historyOf = "";
    this.notices.clear();
    const url = new URL(location.href);
    url.searchParams.set("scene", id);
    if (push) history.pushState(null, "", url);
    else if (replace) history.replaceState(null, "", url);
    this.session = new SceneSession(this.api, id, {
      apply: (name, data) => this.apply(name, data),
      redraw: () => this.redraw(),
      map: () => this.map,
      usualPace: () => this.state.model.seconds_per_step ?? null,
    });
    this.map.attach(this.session);
    this.session.listen();
    this.redraw();
  }

  /** Take an event or an answer into the state. @param {string} name @param {any} data */
  apply(name, data) {
    const before = this.state;
    this.state = reduce(before, name, data);
    if (!before.scene && this.state.scene) this.#arrive();
    if (name === "model" && before.model.state !== "ready" && data.state === "ready") this.#modelReady();
    if (this.state.deleted && !before.deleted) this.#gone();
    if (name === "job" && data.state === "failed") {
      this.notices.show(data.error ?? "The job failed.", { error: true, action: { label: "Retry", run: () => this.actions.retry(data.id) } });
    }
    this.panel.describe();
    this.redraw();
  }

  /** The scene is known for the first time: go where one was, or to what there is. */
  #arrive() {
    document.title = `${this.state.scene.title} · Text2Earth`;
    const place = recall(localStorage, this.sceneId);
    this.frame = place?.frame ?? this.actions.firstFrame();
    if (place) Object.assign(this.view, { cx: place.cx, cy: place.cy, scale: place.scale });
    else {
      this.fit();
      const last = this.state.jobs.filter(isOpen).at(-1);
      if (last) this.frame = fromXYWH(last.request.frame);
      else if (!this.state.scene.empty) this.#frameAtContent();
    }
    if (this.state.model.state === "ready") this.#modelReady();
  }

  /** In a scene not seen before in this browser, the frame starts at the lower right end of its content. */
  #frameAtContent() {
    const [x, y, w, h] = this.state.scene.bounds;
    const { window } = modelInfo(this.state);
    this.frame = { x: x + w - window, y: y + h - window, w: window, h: window };
  }

  #modelReady() {
    const { window } = modelInfo(this.state);
    // Until the model was known its window was a guess.
    if (this.state.scene?.empty && !this.state.jobs.length && this.frame?.w !== window) {
      this.frame = this.actions.firstFrame();
      this.fit();
    }
    this.panel.modelReady();
  }

  #gone() {
    this.hints.gone(() => this.openAny());
  }

  // ---- what the panel uses

  get settings() {
    return this.panel.settings;
  }

  set settings(patch) {
    this.panel.settings = patch;
  }

  /** Called after each submitted job. */
  afterSubmit() {
    this.panel.reseed();
    this.hints.used("generate");
  }

  generate() {
    return this.actions.generate();
  }

  setResolution(value) {
    return this.actions.setResolution(Number(value));
  }

  togglePanel() {
    document.body.classList.toggle("t2e-panel-hidden");
    this.redraw();
  }

  // ---- view and frame

  /** @param {() => void} change */
  moveView(change) {
    change();
    this.#rememberSoon();
    this.redraw();
  }

  /** @param {import("./rect.mjs").Rect} frame */
  setFrame(frame) {
    this.frame = frame;
    this.#ghost = null;
    this.#rememberSoon();
    this.redraw();
  }

  /** Part of the window not under bars and panel. */
  #insets() {
    const hidden = document.body.classList.contains("t2e-panel-hidden");
    const box = hidden ? null : document.getElementById("t2e-panel")?.getBoundingClientRect();
    return insets(this.view.width, this.view.height, box?.width ? box : null);
  }

  #free() {
    return freePart(this.view.width, this.view.height, this.#insets());
  }

  fit() {
    const content = this.state.scene?.bounds ? fromXYWH(this.state.scene.bounds) : this.frame ?? this.actions.firstFrame();
    const margin = 0.12 * Math.max(content.w, content.h);
    const around = { x: content.x - margin, y: content.y - margin, w: content.w + 2 * margin, h: content.h + 2 * margin };
    this.moveView(() => this.view.fit(around, this.#insets()));
  }

  actualSize() {
    this.moveView(() => this.view.zoomAt(1 / this.view.scale));
  }

  lookAt(x, y) {
    this.moveView(() => this.view.centerOn(x, y, this.#insets()));
  }

  /** Bring a frame and its handles into sight, moving no more than needed. */
  reveal(frame) {
    const [dx, dy] = nudgeInto(this.view.rectToScreen(frame), this.#free());
    if (dx || dy) this.moveView(() => this.view.panBy(dx, dy));
  }

  /** @param {import("./pointer-tools.mjs").Tool} tool */
  chooseTool(tool) {
    this.pointer.tool = tool;
    this.surface.dataset.tool = tool;
    this.rail.update(tool);
  }

  async #showGhost(direction) {
    const asked = ++this.#ghostAsked;
    this.#ghost = null;
    this.redraw();
    if (!direction || !this.frame) return;
    const frame = await this.actions.nextFrame(direction).catch(() => null);
    if (asked !== this.#ghostAsked) return;
    this.#ghost = frame;
    this.redraw();
  }

  #rememberSoon() {
    clearTimeout(this.#placeTimer);
    this.#placeTimer = setTimeout(() => this.#rememberPlace(), SAVE_MS);
  }

  #rememberPlace() {
    clearTimeout(this.#placeTimer);
    if (!this.sceneId || !this.frame || !this.state.scene) return;
    const { cx, cy, scale } = this.view;
    remember(localStorage, this.sceneId, { cx, cy, scale, frame: this.frame });
  }

  // ---- drawing: only what is dirty, once per animation frame

  redraw() {
    this.#loop.mark("map", "overlay", "chrome", "status");
  }

  redrawStatus() {
    this.#loop.mark("status");
  }

  #draw(dirty, now) {
    const dpr = devicePixelRatio;
    const moving = [];
    if (dirty.has("map") && this.session) {
      if (this.map.draw(dpr, now)) moving.push("map");
      this.map.dropSettled();
    }
    if (dirty.has("overlay")) this.overlay.draw(this.#overlayState(), dpr);
    if (dirty.has("chrome")) this.#drawChrome();
    if (dirty.has("status")) this.status.update(this.state, this.view, this.pointer.place);
    return moving;
  }

  #overlayState() {
    const jobs = this.state.jobs.filter(isOpen).map((job) => ({
      frame: fromXYWH(job.request.frame),
      running: job.state === "running",
      progress: job.step / Math.max(1, job.steps),
    }));
    return { frame: this.state.scene ? this.frame : null, jobs, ghost: this.#ghost, drag: this.pointer.drag };
  }

  #drawChrome() {
    const free = this.#free();
    this.markers.update(this.state, this.view, this.frame, free);
    this.bar.update(this.state);
    this.queue.update(this.state);
    this.hints.update(this.state, this.frame && this.view.rectToScreen(this.frame), free);
    if (this.state.scene) document.title = `${this.state.scene.title} · Text2Earth`;
    void this.#drawHistory();
  }

  async #drawHistory() {
    const { scene } = this.state;
    const version = scene ? `${scene.id}@${scene.revision}` : "";
    if (!scene || version === this.#historyOf || !slot("history")) return;
    this.#historyOf = version;
    const steps = await this.api.get(`/scenes/${scene.id}/history`).catch(() => null);
    if (!steps || this.sceneId !== scene.id) return;
    showHistory(steps, (step) => this.actions.look(step.rect), (step) => this.actions.reuse(step));
  }

  #resize() {
    const box = this.getBoundingClientRect();
    this.view.resize(box.width, box.height);
    for (const canvas of this.canvases) {
      canvas.width = Math.round(this.view.width * devicePixelRatio);
      canvas.height = Math.round(this.view.height * devicePixelRatio);
    }
    this.redraw();
  }

  #readTheme() {
    const colours = readColours(this);
    this.map.colours = colours.map;
    Object.assign(this.overlay.colours, colours.overlay);
    this.map.fade = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.redraw();
  }

  /** Main-thread milliseconds of the last drawings: for benchmarks. */
  get drawTimes() {
    return this.#loop.times;
  }

  /** Bitmaps held outside the JavaScript heap: for tests and benchmarks. */
  get liveBitmaps() {
    return (this.session?.cache.size ?? 0) + this.map.previews.size;
  }
}

customElements.define("scene-canvas", SceneCanvasElement);

/**
 * Connect the element inside Gradio's component with its events.
 * @param {Element} host @param {(name: string) => void} trigger
 */
export function mount(host, trigger) {
  const element = host.querySelector("scene-canvas");
  element.panel.tell = trigger;
  trigger("restore");
  trigger("describe");
}
