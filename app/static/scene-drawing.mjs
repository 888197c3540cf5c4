/** What of the page is drawn, in which order: only what is dirty, once per animation frame. */
import { FrameLoop } from "./map/frame-loop.mjs";
import { overlayOf } from "./map/overlay-layer.mjs";
import { slot } from "./panel/panel-slots.mjs";
import { DRAWING_TOOLS } from "./tools/pointer-tools.mjs";
import { intersect } from "./geometry/rect.mjs";

export class SceneDrawing {
  #page;
  /** Scene and revision whose history the panel shows. */
  #historyOf = "";
  #loop = new FrameLoop((dirty, now) => this.#draw(dirty, now));

  /** @param {import("./scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** @param {...import("./map/frame-loop.mjs").Part} parts */
  mark(...parts) {
    this.#loop.mark(...parts);
  }

  /** Draw at once, before the browser paints. */
  flush() {
    this.#loop.flush();
  }

  stop() {
    this.#loop.stop();
  }

  /** Ask for the history anew, whatever was shown. */
  forgetHistory() {
    this.#historyOf = "";
  }

  /** Gradio builds what is in its accordion anew each time it is opened. */
  historyOpened(tries = 60) {
    if (!slot("history")) return void (tries && requestAnimationFrame(() => this.historyOpened(tries - 1)));
    this.forgetHistory();
    this.#page.redraw();
  }

  #draw(dirty, now) {
    const page = this.#page;
    /** @type {import("./map/frame-loop.mjs").Part[]} */
    const moving = [];
    if (dirty.has("map") && page.session) {
      if (this.#drawMap(now, page.view.visible())) moving.push("map");
      this.#drawMarkers();
    } else if (dirty.has("mask") && page.session) this.#drawMask(now);
    if (dirty.has("map") || dirty.has("bar")) this.#drawBars();
    if (dirty.has("chrome")) this.#drawChrome();
    if (dirty.has("status")) page.status.update(page.state, page.view, page.pointer.place, page.measure.text);
    return moving;
  }

  /** @param {import("./geometry/rect.mjs").Rect} seen part of the scene @returns {boolean} whether something still moves */
  #drawMap(now, seen) {
    const { frame, ghost, layers, map, mask, measure, overlay, pointer, staging, state, view } = this.#page;
    const fading = map.draw(devicePixelRatio, now, state.scene && !state.deleted ? layers.drawn : null);
    const settling = staging.draw(map.context, view, map.complete, now);
    mask.draw(map.context, view, seen);
    mask.dirty = null;
    overlay.draw(overlayOf(state, frame, ghost, pointer.drag, this.#regions, measure.drawn), devicePixelRatio);
    return map.dropSettled() || fading || settling;
  }

  /** The regions of the next fill as they are drawn over the map. @returns {import("./map/overlay-layer.mjs").Regions} */
  get #regions() {
    const { regions, regionTool } = this.#page;
    return { outlines: regions.list, around: regions.between ? regions.box : null, draft: regionTool.draft };
  }

  /** Only where the brush was: the rest of the window stays as it is. */
  #drawMask(now) {
    const { map, mask, view } = this.#page;
    const seen = mask.dirty && intersect(mask.dirty, view.visible());
    mask.dirty = null;
    if (!seen) return;
    const r = view.rectToScreen(seen);
    const { context } = map;
    context.save();
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.beginPath();
    context.rect(r.x - 1, r.y - 1, r.w + 2, r.h + 2);
    context.clip();
    this.#drawMap(now, seen);
    context.restore();
  }

  #drawBars() {
    const { free, layers, mask, maskBar, pointer, regionBar, ring, staging, view } = this.#page;
    const heights = () => maskBar.node.offsetHeight + regionBar.node.offsetHeight;
    const before = heights();
    maskBar.update(pointer.tool, free);
    regionBar.update(pointer.tool, free, !maskBar.node.hidden);
    // What is free has changed with them.
    if (heights() !== before) this.#page.redraw();
    staging.place(view, free);
    layers.place(view, free);
    ring.update(pointer.tool === "brush" || pointer.tool === "eraser", mask.settings.size * view.scale);
  }

  #drawMarkers() {
    const { finder, frame, free, hints, markers, mask, notices, pointer, regions, state, view } = this.#page;
    // A brush must not land on a button.
    const extendable = DRAWING_TOOLS.includes(pointer.tool) ? null : frame;
    notices.place(free);
    markers.update(state, view, extendable, free, notices.box);
    finder.place(view);
    const drawing = DRAWING_TOOLS.includes(pointer.tool) || !regions.empty || !mask.empty;
    hints.update(state, frame && view.rectToScreen(frame), free, drawing);
  }

  #drawChrome() {
    const { bar, dice, follow, layers, models, panel, queue, resolution, state } = this.#page;
    bar.update(state);
    queue.update(state);
    dice.show();
    resolution.show(panel.description());
    follow.show(panel.settings.follow);
    layers.show();
    models.show();
    void this.#drawHistory();
  }

  async #drawHistory() {
    const { scene } = this.#page.state;
    const version = scene ? `${scene.id}@${scene.revision}` : "";
    if (!scene || version === this.#historyOf || !slot("history")) return;
    this.#historyOf = version;
    const steps = await this.#page.api.get(`/scenes/${scene.id}/steps`).catch(() => null);
    if (steps && this.#historyOf === version) this.#page.history.show(scene.id, steps);
  }
}
