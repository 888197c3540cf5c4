/**
 * Draws what lies over the map: the selected frame, regions of a fill, places of queued and running jobs, the ghost of an extension,
 * a drag under way, a measured way. Each line has a halo of the opposite lightness, so that it shows on sand and on forest alike.
 * @typedef {import("../geometry/rect.mjs").Rect} Rect
 * @typedef {{frame: Rect|null, jobs: {frame: Rect, running: boolean, progress: number}[], ghost: Rect|null,
 *   drag: {rect: Rect, kind: "frame"|"erase"}|null, regions: Regions,
 *   measured: {points: Point[], set: number, closed: boolean, text: string}|null}} Overlay   set: points that are clicked
 * @typedef {{outlines: {points: Point[], colour: string, text: string}[], around: Rect|null, draft: {points: Point[], corners: boolean}|null}} Regions
 *   around: what is filled besides them; draft: an outline under way
 * @typedef {import("../geometry/polygon.mjs").Point} Point
 */
import { boxOf, labelPlace } from "../geometry/polygon.mjs";
import { fromXYWH } from "../geometry/rect.mjs";
import { isOnMap } from "../scene/store.mjs";

/** @param {import("../scene/store.mjs").State} state @returns {Overlay} */
export function overlayOf(state, frame, ghost, drag, regions, measured) {
  const jobs = state.jobs.filter(isOnMap).map((job) => ({
    frame: fromXYWH(job.request.frame),
    running: job.state === "running",
    progress: job.step / Math.max(1, job.steps),
  }));
  return { frame: state.scene ? frame : null, jobs, ghost, drag, regions, measured };
}

const FONT = "600 13px system-ui, sans-serif";

export class OverlayLayer {
  colours = { accent: "#06c", danger: "#c00", line: "#fff", halo: "#000", wash: "rgba(255,255,255,.14)" };
  #context;
  #view;

  /** @param {CanvasRenderingContext2D} context of the map, drawn before @param {import("../geometry/view.mjs").View} view */
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
    const { outlines, around, draft } = overlay.regions;
    if (around) this.#outline(around, { colour: this.colours.accent, width: 1, dash: [6, 4], wash: null });
    outlines.forEach((region, index) => this.#region(region, index + 1));
    if (draft) this.#draft(draft);
    for (const job of overlay.jobs) {
      if (job.running) this.#running(job);
    }
    if (overlay.ghost) this.#outline(overlay.ghost, { colour: this.colours.accent, width: 2, dash: [6, 4], wash: this.colours.accent });
    if (overlay.drag) {
      const colour = overlay.drag.kind === "erase" ? this.colours.danger : this.colours.accent;
      this.#outline(overlay.drag.rect, { colour, width: 2, dash: [], wash: colour });
    }
    if (overlay.measured) this.#measured(overlay.measured);
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

  /** A region of a fill in its colour, with the number it has in the bar and as much of its prompt as finds room. */
  #region({ points, colour, text }, number) {
    this.#polygon(points, colour);
    const { x, y } = this.#view.toScreen(...labelPlace(points));
    this.#text(this.#cut(`${number} ${text}`, this.#view.rectToScreen(boxOf(points)).w - 16) || String(number), x, y);
  }

  /** What of a text fits into so many pixels, "" where not even a word of it does. */
  #cut(text, room) {
    const context = this.#context;
    context.font = FONT;
    if (context.measureText(text).width <= room) return text;
    let most = text.length;
    while (most > 3 && context.measureText(`${text.slice(0, most)} …`).width > room) most -= 1;
    return most > 3 ? `${text.slice(0, most).trimEnd()} …` : "";
  }

  /** An outline under way, with the corners that are set. */
  #draft({ points, corners }) {
    this.#polygon(points);
    if (corners) this.#dots(points.slice(0, -1));
  }

  /** A way, or an area where it is closed, with its figures beside the last point or within. */
  #measured({ points, set, closed, text }) {
    if (closed) this.#polygon(points);
    else this.#line(points);
    this.#dots(points.slice(0, set));
    if (closed) {
      const { x, y } = this.#view.toScreen(...labelPlace(points));
      this.#text(text, x, y);
    } else {
      const { x, y } = this.#view.toScreen(...points.at(-1));
      this.#text(text, x, y - 18);
    }
  }

  #text(text, x, y) {
    const context = this.#context;
    context.font = FONT;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = this.colours.halo;
    context.strokeText(text, x, y);
    context.fillStyle = this.colours.line;
    context.fillText(text, x, y);
  }

  #dots(points) {
    const context = this.#context;
    for (const point of points) {
      const { x, y } = this.#view.toScreen(...point);
      context.beginPath();
      context.arc(x, y, 4, 0, 2 * Math.PI);
      context.fillStyle = this.colours.line;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = this.colours.halo;
      context.stroke();
    }
  }

  #polygon(points, colour = this.colours.accent) {
    const context = this.#context;
    this.#path(points);
    context.closePath();
    context.globalAlpha = 0.2;
    context.fillStyle = colour;
    context.fill("evenodd");
    context.globalAlpha = 1;
    this.#stroke(colour);
  }

  #line(points) {
    this.#path(points);
    this.#stroke();
  }

  #path(points) {
    this.#context.beginPath();
    for (const point of points) {
      const { x, y } = this.#view.toScreen(...point);
      this.#context.lineTo(x, y);
    }
  }

  #stroke(colour = this.colours.accent) {
    const context = this.#context;
    for (const [style, width] of /** @type {[string, number][]} */ ([[this.colours.halo, 3.5], [colour, 1.5]])) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
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
