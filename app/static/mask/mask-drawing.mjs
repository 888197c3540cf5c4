/**
 * A mask being drawn: a list of operations in world coordinates, which is what is kept, and their pixels. Undo puts back
 * the chunks an operation touched; a reload replays the list.
 * @typedef {import("../geometry/rect.mjs").Rect} Rect
 * @typedef {{kind: "stroke", erase: boolean, hardness: number, dabs: number[]} | {kind: "polygon", erase: boolean, points: number[]}
 *   | {kind: "invert", rect: Rect} | {kind: "grow", by: number} | {kind: "fill"} | {kind: "clear"}
 *   | {kind: "found", rect: Rect, counts: number[]}} Operation
 *   `dabs` and `points` are flat: x, y, size and x, y; `counts` are lengths of runs outside and inside in turn, row by row
 */
import { MaskRaster } from "./mask-raster.mjs";
import { filled, grown, withRuns } from "./mask-morphology.mjs";
import { union } from "../geometry/rect.mjs";

const MAX_UNDO = 60;

export class MaskDrawing {
  /** @type {Operation[]} */
  operations = [];
  #raster;
  /** Chunks as they were before each operation, newest last. @type {{operation: Operation, before: Map<string, ImageData|null>}[]} */
  #done = [];
  #undone = [];
  #before = new Map();
  #stroke = null;
  /** Whether any pixel is painted: strokes can have been erased again. */
  #painted = false;
  #changed;

  /** @param {string} colour @param {(area: Rect|null, ended: boolean) => void} changed part of the scene to draw again */
  constructor(colour, changed) {
    this.#raster = new MaskRaster(colour, (key) => {
      if (!this.#before.has(key)) this.#before.set(key, this.#raster.copy(key));
    });
    this.#changed = (area, ended) => {
      if (ended) this.#painted = this.#raster.bounds() !== null;
      changed(area, ended);
    };
  }

  get empty() {
    return !this.#painted && !this.#stroke;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Begin a stroke. @param {{x: number, y: number, size: number}} dab */
  begin(dab, hardness, erase) {
    this.#stroke = { kind: "stroke", erase, hardness, dabs: [dab.x, dab.y, dab.size] };
    this.#changed(this.#raster.segment(dab, dab, hardness, erase), false);
  }

  /** @param {{x: number, y: number, size: number}[]} dabs where the pointer has been since */
  extend(dabs) {
    if (!this.#stroke) return; // the mask was sent while the pointer was down
    const { dabs: all, hardness, erase } = this.#stroke;
    let area = null;
    for (const dab of dabs) {
      const [x, y, size] = all.slice(-3);
      area = union(area, this.#raster.segment({ x, y, size }, dab, hardness, erase));
      all.push(dab.x, dab.y, dab.size);
    }
    if (area) this.#changed(area, false);
  }

  end() {
    if (this.#stroke) this.#keep(this.#stroke, null);
  }

  /** Take the stroke under way back. */
  cancel() {
    this.#stroke = null;
    this.#changed(this.#swap(this.#before), true);
    this.#before = new Map();
  }

  /** @param {Operation} operation anything but a stroke under way */
  apply(operation) {
    this.#keep(operation, this.#run(operation));
  }

  #keep(operation, area) {
    this.#stroke = null;
    this.operations.push(operation);
    this.#done.push({ operation, before: this.#before });
    if (this.#done.length > MAX_UNDO) this.#done.shift();
    this.#undone = [];
    this.#before = new Map();
    this.#changed(area, true);
  }

  #run(operation) {
    switch (operation.kind) {
      case "stroke": {
        const { dabs, hardness, erase } = operation;
        const at = (n) => ({ x: dabs[n], y: dabs[n + 1], size: dabs[n + 2] });
        let area = this.#raster.segment(at(0), at(0), hardness, erase);
        for (let n = 3; n < dabs.length; n += 3) area = union(area, this.#raster.segment(at(n - 3), at(n), hardness, erase));
        return area;
      }
      case "polygon":
        return this.#raster.polygon(operation.points, operation.erase);
      case "clear":
        return this.#raster.clear();
      case "invert": {
        // What was painted elsewhere goes: the mask is then what the rectangle has besides it.
        const inside = this.#raster.read(operation.rect);
        const cleared = this.#raster.clear();
        return union(cleared, this.#raster.write(operation.rect, inside.map((value) => 255 - value)));
      }
      case "found":
        return this.#raster.write(operation.rect, withRuns(this.#raster.read(operation.rect), operation.counts));
      case "grow":
        return this.#remade(Math.max(0, operation.by) + 1, (alpha, area) => grown(alpha, area.w, area.h, operation.by));
      default:
        return this.#remade(1, (alpha, area) => filled(alpha, area.w, area.h));
    }
  }

  #remade(margin, make) {
    const bounds = this.#raster.bounds();
    if (!bounds) return null;
    const area = { x: bounds.x - margin, y: bounds.y - margin, w: bounds.w + 2 * margin, h: bounds.h + 2 * margin };
    return this.#raster.write(area, make(this.#raster.read(area), area));
  }

  undo() {
    const last = this.#done.pop();
    if (!last) return;
    this.operations.pop();
    this.#undone.push(last);
    this.#changed(this.#swap(last.before), true);
  }

  redo() {
    const next = this.#undone.pop();
    if (!next) return;
    this.operations.push(next.operation);
    this.#done.push(next);
    this.#changed(this.#swap(next.before), true);
  }

  /** Put chunks back and keep in their place what was there, so that doing it twice changes nothing. */
  #swap(chunks) {
    let area = null;
    for (const [key, pixels] of chunks) {
      chunks.set(key, this.#raster.copy(key));
      area = union(area, this.#raster.put(key, pixels));
    }
    return area;
  }

  /** Begin anew. @param {Operation[]} operations to replay */
  restore(operations) {
    const before = this.#raster.clear();
    this.operations = [];
    [this.#done, this.#undone, this.#before, this.#stroke] = [[], [], new Map(), null];
    let area = before;
    for (const operation of operations) area = union(area, this.#run(operation));
    this.operations = [...operations];
    this.#before = new Map();
    this.#changed(area, true);
  }

  /** The smallest rectangle around what is painted. @returns {Rect|null} */
  bounds() {
    return this.#raster.bounds();
  }

  /** @param {Rect} area @returns {Promise<Blob>} */
  png(area) {
    return this.#raster.png(area);
  }

  /** @param {CanvasRenderingContext2D} context @param {import("../geometry/view.mjs").View} view @param {Rect} seen */
  draw(context, view, seen) {
    this.#raster.draw(context, view, seen);
  }
}
