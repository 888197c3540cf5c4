/**
 * What a person can do, in one place: each action talks to the API and says in one sentence what went wrong.
 */
import { confirm } from "./dialogs/dialogs.mjs";
import { question } from "./dialogs/fill-cost.mjs";
import { EditActions } from "./edit-actions.mjs";
import * as dialogs from "./dialogs/scene-dialogs.mjs";
import { nextFrame } from "./geometry/frames.mjs";
import { titleOf } from "./layers/layers.mjs";
import { fromXYWH, isCovered, snap, snapOut, toXYWH } from "./geometry/rect.mjs";
import { SceneActions } from "./scene-actions.mjs";
import { modelInfo, pendingFrames } from "./scene/store.mjs";

export class Actions {
  /** Those that make candidates, and what becomes of them. */
  edits;
  /** Those on whole scenes. */
  scenes;
  #page;
  #api;
  /** Extensions follow each other: a quick second click starts where the first one ends. */
  #growing = Promise.resolve();
  #stepping = Promise.resolve();
  /** What `once` has under way, as a sentence begins. */
  #underWay = "";
  /** Whether it was said that what was undone is kept. */
  #told = false;

  /** @param {import("./scene-canvas.mjs").Page} page @param {import("./scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
    this.edits = new EditActions(page, api, this);
    this.scenes = new SceneActions(page, api, this);
  }

  /** Run a task; its error becomes a notice. @param {() => Promise<any>} task @param {(() => void)} [retry] */
  async run(task, retry) {
    try {
      return await task();
    } catch (error) {
      this.#page.notices.show(error.message, { error: true, action: retry ? { label: "Retry", run: retry } : undefined });
      return undefined;
    }
  }

  /** As `run`, but one at a time: a second press must not queue the work twice. @param {string} what how a sentence about it begins */
  async once(what, task, retry) {
    if (this.#underWay) {
      if (this.#underWay !== what) this.#page.notices.show(`${this.#underWay}: press again in a moment.`);
      return undefined;
    }
    this.#underWay = what;
    try {
      return await this.run(task, retry);
    } finally {
      this.#underWay = "";
    }
  }

  /** The address of the open scene in the API. @param {string} rest */
  scenePath(rest = "") {
    return `/scenes/${this.#page.sceneId}${rest}`;
  }

  async #submit(frame) {
    const { request } = this.#page.panel;
    this.noteBranch();
    await this.#api.post(this.scenePath("/jobs"), { frame: toXYWH(frame), ...request });
    this.#page.afterSubmit(request.seed);
  }

  /** A change after an undo leaves what was undone on a side branch of the history: said once, by the way. */
  noteBranch() {
    if (this.#told || !this.#page.state.scene?.can_redo) return;
    this.#told = true;
    this.#page.notices.show("What you have undone stays in the history: go back to it there.");
  }

  /** Generate what is empty in the frame; where a mask is painted or regions are drawn, do what they ask instead. */
  generate() {
    if (!this.#page.mask.empty) return this.edits.edit();
    if (!this.#page.regions.empty) return this.fill();
    return this.once("A window is being queued", async () => {
      const frame = this.#page.frame;
      if (!frame || !this.#page.state.scene) return;
      if (isCovered(frame, pendingFrames(this.#page.state, this.#page.layers.active))) {
        this.#page.notices.show("A job for this frame is waiting already: move the frame or press a handle.");
        return;
      }
      if (await this.#page.session.coverage.isFull(frame)) {
        await this.edits.offerAnew(frame);
        return;
      }
      await this.#submit(frame);
    }, () => this.generate());
  }

  /** Queue a fill of the regions, each with its prompt. */
  fill() {
    return this.once("A fill is being queued", async () => {
      const { regions, regionTool, panel, state } = this.#page;
      regionTool.finish();
      if (regions.empty) return;
      const { prompt: _, ...settings } = panel.request;
      const wish = { ...regions.request(), ...settings };
      const cost = await this.#api.post(this.scenePath("/fills/cost"), wish);
      const text = cost.large ? question(cost, state.scene.resolution) : "";
      if (text && !(await confirm(this.#page, "A large fill", text, "Fill"))) return;
      this.noteBranch();
      await this.#api.post(this.scenePath("/fills"), { ...wish, confirmed: true });
      regions.clear();
      this.#page.chooseTool("select");
      this.#page.afterSubmit(wish.seed);
    }, () => this.fill());
  }

  /** Undo or redo up to a step of the history. @param {{id: number}} step */
  go(step) {
    return this.run(async () => this.#page.apply("scene", await this.#api.post(this.scenePath(`/steps/${step.id}/go`))));
  }

  /** Queue `count` extensions, each half a window further. @param {import("./geometry/frames.mjs").Direction} direction */
  extend(direction, count = 1) {
    this.#growing = this.#growing.then(() =>
      this.run(async () => {
        if (!this.#page.frame) return;
        for (let n = 0; n < count; n++) {
          const frame = await this.nextFrame(direction);
          await this.#submit(frame);
          this.#page.trail.went(this.#page.frame, frame);
          this.#page.setFrame(frame);
        }
        this.#page.reveal(this.#page.frame);
      }, () => this.extend(direction, count)),
    );
    return this.#growing;
  }

  /** Where an extension would go. */
  nextFrame(direction) {
    const page = this.#page;
    const isFull = (frame) => page.session.coverage.isFull(frame);
    return nextFrame(page.frame, direction, modelInfo(page.state).window, pendingFrames(page.state, page.layers.active), isFull);
  }

  /** @param {string} id */
  cancel(id) {
    return this.run(async () => {
      const job = this.#page.state.jobs.find((one) => one.id === id);
      await this.#api.call("DELETE", `/jobs/${id}`);
      if (job?.kind === "generate") this.#moveFrame("back", job.request.frame);
      else if (job?.kind === "edit") this.edits.giveBackMask(id);
    });
  }

  retry(job) {
    return this.run(() => this.#api.post(`/jobs/${job}/retry`));
  }

  move(job, position) {
    return this.run(() => this.#api.post(`/jobs/${job}/move`, { position }));
  }

  /** One after the other: whether a second quick press has anything to undo is known when the first is done. @param {"undo"|"redo"} which @param {number} [only] this step, where it is the newest */
  step(which, only) {
    const able = which === "undo" ? "can_undo" : "can_redo";
    this.#stepping = this.#stepping.then(() =>
      this.run(async () => {
        if (!this.#page.state.scene?.[able]) return;
        const scene = await this.#api.post(this.scenePath(`/${which}${only === undefined ? "" : `?step=${only}`}`));
        this.#page.apply("scene", scene);
        this.#moveFrame(which === "undo" ? "back" : "forth", scene.step.frame);
      }),
    );
    return this.#stepping;
  }

  /** The frame goes with an extension that is taken back or made again. @param {"back"|"forth"} way @param {[number, number, number, number]} made */
  #moveFrame(way, made) {
    const page = this.#page;
    const frame = page.frame && page.trail[way](fromXYWH(made), page.frame);
    if (!frame) return;
    page.setFrame(frame);
    page.reveal(frame);
  }

  /** @param {import("./geometry/rect.mjs").Rect} rect scene pixels; grows to the cell grid */
  erase(rect) {
    const region = snapOut(rect);
    return this.run(async () => {
      this.noteBranch();
      const layer = this.#page.layers.active;
      const scene = await this.#api.post(this.scenePath("/erase"), { rect: toXYWH(region), layer });
      this.erased(scene, `Erased ${region.w} × ${region.h} px${layer === "rgb" ? "" : ` of ${titleOf(layer)}`}.`);
    });
  }

  /** Say what was erased, with the way back. @param {any} scene as the server answers @param {string} text */
  erased(scene, text) {
    this.#page.apply("scene", scene);
    const undo = { label: "Undo", run: () => this.step("undo", scene.step.id) };
    // After any other change the button would no longer mean this step.
    this.#page.notices.show(text, { action: undo, holds: ({ scene: now }) => now?.revision === scene.revision });
  }

  /** @param {number} resolution m/px */
  setResolution(resolution) {
    return this.run(async () => {
      try {
        this.#page.apply("scene", await this.#api.call("PATCH", this.scenePath(), { resolution }));
      } finally {
        this.#page.redraw(); // a choice that was refused is taken back
      }
    });
  }

  /** The browser streams it to disk: a large export never passes through this page's memory. @param {string} rest @param {string} [scene] */
  download(rest, scene = this.#page.sceneId) {
    const link = document.createElement("a");
    link.href = `api/scenes/${scene}${rest}`;
    link.download = "";
    link.click();
  }

  async goTo() {
    const page = this.#page;
    const { scene } = page.state;
    const on = page.earth.toMap(scene, page.view.cx, page.view.cy);
    const metres = scene?.resolution ?? 1;
    const [x, y] = on ? [on.east, on.north] : [page.view.cx * metres, page.view.cy * metres];
    const label = on ? `E, N in EPSG:${scene.anchor.epsg}` : "x, y in metres (y down)";
    const place = await dialogs.askCoordinate(page, label, `${Math.round(x)}, ${Math.round(y)}`);
    if (!place) return;
    const at = on ? page.earth.toScene(scene, place.x, place.y) : { x: place.x / metres, y: place.y / metres };
    page.lookAt(at.x, at.y);
  }

  /** Put the scene's address into the clipboard; where the browser keeps that to itself, show it. */
  async share() {
    const { href } = location;
    const copied = await navigator.clipboard?.writeText(href).then(() => true, () => false);
    this.#page.notices.show(copied ? "The address of this scene is copied." : `The address of this scene: ${href}`, { seconds: copied ? 6 : 30 });
  }

  /** To the prompt, with all of it selected: the next key begins a new one. */
  writePrompt() {
    document.body.classList.remove("t2e-panel-hidden");
    const box = document.querySelector("#t2e-prompt textarea");
    if (box instanceof HTMLTextAreaElement) box.select();
    this.#page.redraw();
  }

  help() {
    dialogs.showShortcuts(this.#page);
  }

  /** Arrow keys. @param {[number, number]} towards -1, 0 or 1 @param {boolean} big half a window instead of a cell */
  nudge([dx, dy], big) {
    const page = this.#page;
    if (!page.frame) return;
    const step = big ? Math.max(8, snap(modelInfo(page.state).window / 2)) : 8;
    page.setFrame({ ...page.frame, x: page.frame.x + dx * step, y: page.frame.y + dy * step });
    page.reveal(page.frame);
  }

  /** Frame of a job or a step in sight, and selected. @param {[number, number, number, number]|import("./geometry/rect.mjs").Rect} frame */
  look(frame) {
    const rect = Array.isArray(frame) ? fromXYWH(frame) : frame;
    this.#page.setFrame(rect);
    this.#page.reveal(rect);
  }

  /** @param {import("./scene/store.mjs").Step} step what was set for a step of the history goes back into the panel */
  reuse(step) {
    // The scene's records leave out a `follow` of 0.
    const { kind, prompt, negative_prompt = "", seed, sampler = "quality", strength, feather, follow = 0 } = step.request;
    const { steps, guidance } = sampler === "fast" ? { steps: null, guidance: null } : step.request;
    this.#page.panel.restore({ prompt, negative_prompt, seed, seed_locked: true, sampler, steps, guidance, follow });
    this.#page.layers.reuse(step.request);
    if (kind === "edit") this.#page.mask.set({ strength, feather });
  }

  /** The frame where a new scene begins: one corner at the origin, so that it fills one tile and not parts of four. */
  firstFrame() {
    const { window } = modelInfo(this.#page.state);
    return { x: 0, y: 0, w: window, h: window };
  }
}
