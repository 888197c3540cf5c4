/**
 * Draws what lies over the map: the selected frame, regions of a fill, places of queued and running jobs, the ghost of an extension,
 * a drag under way. Each line has a halo of the opposite lightness, so that it shows on sand and on forest alike.
 * @typedef {import("./rect.mjs").Rect} Rect
 * @typedef {{frame: Rect|null, jobs: {frame: Rect, running: boolean, progress: number}[], ghost: Rect|null,
 *   drag: {rect: Rect, kind: "frame"|"regions"|"erase"}|null, regions: Rect[]}} Overlay
 */
import { fromXYWH } from "./rect.mjs";
import { isOnMap } from "./store.mjs";

/** @param {import("./store.mjs").State} state @returns {Overlay} */
export function overlayOf(state, frame, ghost, drag, regions) {
  const jobs = state.jobs.filter(isOnMap).map((job) => ({
    frame: fromXYWH(job.request.frame),
    running: job.state === "running",
    progress: job.step / Math.max(1, job.steps),
  }));
  return { frame: state.scene ? frame : null, jobs, ghost, drag, regions };
}

export class OverlayLayer {
  colours = { accent: "#06c", danger: "#c00", line: "#fff", halo: "#000", wash: "rgba(255,255,255,.14)" };
  #context;
  #view;

  /** @param {CanvasRenderingContext2D} context of the map, drawn before @param {import("./view.mjs").View} view */
  constructor(context, view) {
    this.#context = context;
    this.#view = view;
  }

  /** @param {Overlay} overlay @param {number} dpr */
  draw(overlay, dpr) {
    const context = this.#context;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    for (const job of overlay.jobs) {
      if (!job.running) this.#outline(job.frame, { colour: this.colours.line, width: 1, dash: [4, 4], wash: this.colours.wash });
    }
    if (overlay.frame) this.#frame(overlay.frame);
    overlay.regions.forEach((region, index) => this.#region(region, index + 1));
    for (const job of overlay.jobs) {
      if (job.running) this.#running(job);
    }
    if (overlay.ghost) this.#outline(overlay.ghost, { colour: this.colours.accent, width: 2, dash: [6, 4], wash: this.colours.accent });
    if (overlay.drag) {
      const colour = overlay.drag.kind === "erase" ? this.colours.danger : this.colours.accent;
      this.#outline(overlay.drag.rect, { colour, width: 2, dash: [], wash: colour });
    }
  }

  /** The selected frame: a hairline with strong corners, so that what is inside stays readable. */
  #frame(frame) {
    this.#outline(frame, { colour: this.colours.line, width: 1.5, dash: [], wash: null });
    const r = this.#view.rectToScreen(frame);
    const arm = Math.min(16, r.w / 4, r.h / 4);
    const context = this.#context;
    context.beginPath();
    for (const [x, y, dx, dy] of [
      [r.x, r.y, 1, 1],
      [r.x + r.w, r.y, -1, 1],
      [r.x, r.y + r.h, 1, -1],
      [r.x + r.w, r.y + r.h, -1, -1],
    ]) {
      context.moveTo(x + dx * arm, y);
      context.lineTo(x, y);
      context.lineTo(x, y + dy * arm);
    }
    context.strokeStyle = this.colours.halo;
    context.lineWidth = 5;
    context.stroke();
    context.strokeStyle = this.colours.line;
    context.lineWidth = 3;
    context.stroke();
  }

  /** A region of a fill, with the number it has in the bar. */
  #region(rect, number) {
    this.#outline(rect, { colour: this.colours.accent, width: 1.5, dash: [], wash: this.colours.accent });
    const { x, y } = this.#view.rectToScreen(rect);
    const context = this.#context;
    context.font = "600 13px system-ui, sans-serif";
    context.lineWidth = 3;
    context.strokeStyle = this.colours.halo;
    context.strokeText(String(number), x + 7, y + 18);
    context.fillStyle = this.colours.line;
    context.fillText(String(number), x + 7, y + 18);
  }

  #running(job) {
    this.#outline(job.frame, { colour: this.colours.accent, width: 2, dash: [], wash: null });
    const r = this.#view.rectToScreen(job.frame);
    const context = this.#context;
    context.fillStyle = this.colours.halo;
    context.fillRect(r.x, r.y + r.h - 4, r.w, 4);
    context.fillStyle = this.colours.accent;
    context.fillRect(r.x, r.y + r.h - 4, r.w * job.progress, 4);
  }

  #outline(rect, { colour, width, dash, wash }) {
    const r = this.#view.rectToScreen(rect);
    const context = this.#context;
    if (wash) {
      context.globalAlpha = wash === this.colours.wash ? 1 : 0.12;
      context.fillStyle = wash;
      context.fillRect(r.x, r.y, r.w, r.h);
      context.globalAlpha = 1;
    }
    context.setLineDash([]);
    context.strokeStyle = this.colours.halo;
    context.lineWidth = width + 2;
    context.strokeRect(r.x, r.y, r.w, r.h);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(r.x, r.y, r.w, r.h);
    context.setLineDash([]);
  }
}
