/**
 * Brush, eraser, lasso and rectangle: what the pointer does to the mask, and the mask's place in the page. Masks belong to
 * a scene and survive a reload.
 * @typedef {import("./mask-drawing.mjs").Operation} Operation
 * @typedef {"brush"|"eraser"|"lasso"|"rectangle"} MaskTool
 * @typedef {{size: number, hardness: number, strength: number, feather: number, variations: number}} MaskSettings
 *   size and feather in scene pixels, the others from 0 to 1
 */
import { MAX_SIDE } from "../geometry/frames.mjs";
import { MaskDrawing } from "./mask-drawing.mjs";
import { maskOf } from "./mask-png.mjs";
import { spanned, toXYWH, union } from "../geometry/rect.mjs";

/** @type {MaskTool[]} */
export const MASK_TOOLS = ["brush", "eraser", "lasso", "rectangle"];
/** @param {string} tool @returns {tool is MaskTool} */
export function isMaskTool(tool) {
  return MASK_TOOLS.some((name) => name === tool);
}

export const MAX_BRUSH = 512;
const KEY = "text2earth.mask";
const MAX_KEPT = 2_000_000; // characters: more than a browser's storage is sure to take
/** Edits whose masks can be had again. */
const MOST_SENT = 8;
/** Below this pressure a pen's line would vanish. */
const LEAST_PRESSURE = 0.1;
const DEFAULTS = { size: 48, hardness: 0.8, strength: 1, feather: 16, variations: 3 };

export class MaskTools {
  /** @type {MaskSettings} */
  settings = { ...DEFAULTS };
  /** Part of the scene that is to be drawn again. @type {import("../geometry/rect.mjs").Rect|null} */
  dirty = null;
  /** Outline of a lasso or rectangle under way, x, y ... @type {number[]|null} */
  outline = null;
  #page;
  #drawing;
  #scene = "";
  /** What was painted for the last edits, by job. @type {Map<string, Operation[]>} */
  #sent = new Map();
  #from = null;
  #erase = false;
  /** What the mask spans, with the stroke under way. @type {import("../geometry/rect.mjs").Rect|null} */
  #reach = null;
  #told = false;

  /** @param {import("../scene-canvas.mjs").Page} page @param {string} colour of the mask on the map */
  constructor(page, colour) {
    this.#page = page;
    this.#drawing = new MaskDrawing(colour, (area, ended) => {
      this.dirty = union(this.dirty, area);
      page.maskChanged(ended);
      if (ended) this.#keep();
    });
  }

  get empty() {
    return this.#drawing.empty;
  }

  /** What it spans, null where nothing is painted. @returns {import("../geometry/rect.mjs").Rect|null} */
  get area() {
    return this.empty ? null : this.#drawing.bounds();
  }

  get canUndo() {
    return this.#drawing.canUndo;
  }

  get canRedo() {
    return this.#drawing.canRedo;
  }

  // ---- the pointer

  /** @param {{x: number, y: number}} point in the scene @param {PointerEvent} event @param {MaskTool} tool */
  start(point, event, tool) {
    // A pen's other end erases, as on paper.
    this.#erase = tool === "eraser" || event.button === 5 || (tool !== "brush" && event.altKey);
    this.#from = point;
    this.#reach = this.#drawing.bounds();
    this.#told = false;
    if (tool === "brush" || tool === "eraser") this.#drawing.begin(this.#dab(point, event), this.settings.hardness, this.#erase);
    else this.outline = [point.x, point.y];
  }

  /** @param {{x: number, y: number, event: PointerEvent}[]} points since the last call @param {MaskTool} tool */
  move(points, tool) {
    if (tool === "brush" || tool === "eraser") {
      const dabs = points.map((point) => this.#dab(point, point.event));
      return this.#drawing.extend(dabs.filter(({ x, y, size }) => this.#fits({ x: x - size / 2, y: y - size / 2, w: size, h: size })));
    }
    const last = points.at(-1);
    if (tool === "lasso") this.outline.push(...points.flatMap(({ x, y }) => [x, y]));
    else this.outline = corners(spanned(this.#from.x, this.#from.y, last.x, last.y));
    this.#page.redraw();
  }

  /** @param {MaskTool} tool */
  end(tool) {
    if (tool === "brush" || tool === "eraser") return this.#drawing.end();
    const points = this.outline;
    this.outline = null;
    if (points.length >= 6 && this.#fits(boxOf(points))) this.#drawing.apply({ kind: "polygon", erase: this.#erase, points });
    this.#page.redraw();
  }

  /** Whether the mask with one more part stays within what one edit may span; its pixels are held in memory. */
  #fits(box) {
    const reach = union(this.#reach, box);
    if (Math.max(reach.w, reach.h) <= MAX_SIDE) {
      this.#reach = reach;
      return true;
    }
    if (!this.#told) this.#page.notices.show(`A mask can span ${MAX_SIDE} px a side: clear it to begin elsewhere.`);
    this.#told = true;
    return false;
  }

  cancel() {
    if (this.outline) this.outline = null;
    else this.#drawing.cancel();
    this.#page.redraw();
  }

  #dab({ x, y }, event) {
    // A mouse has no pressure to tell: it says one half while a button is down.
    const pressure = event.pointerType === "pen" ? Math.max(LEAST_PRESSURE, event.pressure) : 1;
    return { x, y, size: this.settings.size * pressure };
  }

  // ---- the buttons

  /** @param {Partial<MaskSettings>} patch */
  set(patch) {
    this.settings = { ...this.settings, ...patch };
    this.settings.size = Math.min(MAX_BRUSH, Math.max(1, Math.round(this.settings.size)));
    this.#page.maskChanged(true);
  }

  /** @param {number} factor of the brush's size; always at least one pixel */
  resize(factor) {
    const { size } = this.settings;
    this.set({ size: factor > 1 ? Math.max(size + 1, size * factor) : Math.min(size - 1, size * factor) });
  }

  /** @param {Operation} operation */
  apply(operation) {
    this.#drawing.apply(operation);
  }

  /** Add what was found to the mask, as one stroke. @param {import("../geometry/rect.mjs").Rect} rect @param {number[]} counts */
  add(rect, counts) {
    this.#reach = this.#drawing.bounds();
    this.#told = false;
    if (this.#fits(rect)) this.#drawing.apply({ kind: "found", rect, counts });
  }

  undo() {
    this.#drawing.undo();
  }

  redo() {
    this.#drawing.redo();
  }

  clear() {
    if (!this.empty) this.#drawing.apply({ kind: "clear" });
  }

  /** Nothing is painted and nothing can be undone: an edit is asked for. @returns {Operation[]} what was painted */
  send() {
    const { operations } = this.#drawing;
    this.#drawing.restore([]);
    return operations;
  }

  /** Paint again, under what has been painted since. @param {Operation[]} operations as `send` gave them */
  takeBack(operations) {
    this.#drawing.restore([...operations, ...this.#drawing.operations]);
  }

  /** @param {string} job of the edit @param {Operation[]} operations its mask */
  remember(job, operations) {
    this.#sent = new Map([...this.#sent, /** @type {[string, Operation[]]} */ ([job, operations])].slice(-MOST_SENT));
    this.#keep();
  }

  /** The mask of an edit of this scene, undefined where it is not known any more. @param {string} job */
  sentFor(job) {
    return this.#sent.get(job);
  }

  // ---- what the server gets

  /** @returns {Promise<{mask: string, at: [number, number]}|string>} a sentence where there is nothing to send */
  async request() {
    const area = this.#drawing.bounds();
    if (!area) return "The mask is empty: paint where the scene should change (B).";
    if (Math.max(area.w, area.h) > MAX_SIDE) return `The mask is ${area.w} × ${area.h} px: at most ${MAX_SIDE} px a side can be changed at once.`;
    return maskOf(await this.#drawing.png(area), area);
  }

  // ---- drawing

  /** @param {CanvasRenderingContext2D} context @param {import("../geometry/view.mjs").View} view @param {import("../geometry/rect.mjs").Rect} seen */
  draw(context, view, seen) {
    this.#drawing.draw(context, view, seen);
    if (!this.outline) return;
    context.beginPath();
    for (let n = 0; n < this.outline.length; n += 2) {
      const { x, y } = view.toScreen(this.outline[n], this.outline[n + 1]);
      context.lineTo(x, y);
    }
    context.closePath();
    for (const { colour, width } of [{ colour: "#000", width: 3 }, { colour: "#fff", width: 1 }]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }

  // ---- kept for a reload

  /** Another scene is open. @param {string} scene */
  open(scene) {
    this.#scene = scene;
    let kept = null;
    try {
      kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    } catch {
      kept = null;
    }
    const own = kept?.scene === scene && Array.isArray(kept.operations) ? kept : { operations: [], sent: [] };
    this.#sent = new Map(own.sent ?? []);
    this.#drawing.restore(own.operations);
  }

  #keep() {
    const text = JSON.stringify({ scene: this.#scene, operations: this.#drawing.operations, sent: [...this.#sent] });
    try {
      if (text.length <= MAX_KEPT) sessionStorage.setItem(KEY, text);
    } catch {
      // Without storage the mask ends with the page.
    }
  }
}

/** @param {number[]} points x, y ... @returns {import("../geometry/rect.mjs").Rect} the smallest around them */
function boxOf(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let n = 0; n < points.length; n += 2) {
    [left, right] = [Math.min(left, points[n]), Math.max(right, points[n])];
    [top, bottom] = [Math.min(top, points[n + 1]), Math.max(bottom, points[n + 1])];
  }
  return spanned(left, top, right, bottom);
}

/** @param {import("../geometry/rect.mjs").Rect} rect @returns {number[]} its outline, x, y ... */
function corners(rect) {
  const [x, y, w, h] = toXYWH(rect);
  return [x, y, x + w, y, x + w, y + h, x, y + h];
}
