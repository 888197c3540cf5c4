/**
 * What the pointer does with each tool. Turns drags into frames, regions of a fill, erased regions, strokes of the mask or panning.
 * @typedef {"select"|"frame"|"regions"|"measure"|"erase"|"hand"|import("../mask/mask-tools.mjs").MaskTool} Tool
 */
import { draggedFrame, movedFrame } from "../geometry/frames.mjs";
import { Gestures, wheelFactor } from "./gestures.mjs";
import { MASK_TOOLS } from "../mask/mask-tools.mjs";
import { contains, snapOut, spanned } from "../geometry/rect.mjs";
import { modelInfo } from "../scene/store.mjs";

/** A press that moves less than this many CSS pixels is a click. */
const CLICK = 5;

/** What draws with a tool that is no mask's: the page's part of this name. */
const DRAWN_BY = /** @type {const} */ ({ regions: "regionTool", measure: "measure" });

/** Tools that draw on the map: no button may lie in their way. @type {Tool[]} */
export const DRAWING_TOOLS = [...MASK_TOOLS, "regions", "measure"];

export class PointerTools {
  /** @type {Tool} */
  tool = "select";
  /** Space is held: the hand, whatever the tool. */
  held = false;
  /** @type {{rect: import("../geometry/rect.mjs").Rect, kind: "frame"|"erase"}|null} */
  drag = null;
  /** @type {{x: number, y: number}|null} scene place under the pointer */
  place = null;
  #from = null;
  /** The mask tool, or that of regions or of measuring, whose drag is under way. */
  #painting = null;
  #frameBefore = null;
  #page;
  #gestures;

  /** @param {HTMLElement} surface @param {import("../scene-canvas.mjs").Page} page */
  constructor(surface, page) {
    this.#page = page;
    this.#gestures = new Gestures({
      start: (x, y, event) => this.#start(x, y, event),
      move: (x, y, event) => this.#move(x, y, event),
      end: (x, y) => this.#end(x, y),
      cancel: () => this.#cancel(),
      pan: (dx, dy) => page.moveView(() => page.view.panBy(dx, dy)),
      zoom: (factor, x, y) => page.moveView(() => page.view.zoomAt(factor, x, y)),
      hover: (x, y) => this.#hover(x, y),
    });
    /** @param {MouseEvent} event @returns {[number, number]} */
    const at = (event) => {
      const box = surface.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    surface.addEventListener("pointerdown", (event) => {
      if (event.button > 1 && event.button !== 5) return;
      event.preventDefault();
      surface.focus({ preventScroll: true });
      surface.setPointerCapture(event.pointerId);
      this.#gestures.down(event, ...at(event));
      this.#cursor(surface);
    });
    surface.addEventListener("pointermove", (event) => {
      this.#gestures.move(event, ...at(event));
      if (event.pointerType !== "touch") page.markers.follow(...at(event));
      this.#cursor(surface);
    });
    surface.addEventListener("pointerup", (event) => {
      this.#gestures.up(event, ...at(event));
      this.#cursor(surface);
    });
    surface.addEventListener("pointercancel", () => this.abandon());
    surface.addEventListener("pointerleave", () => this.#hover(null, null));
    surface.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const [x, y] = at(event);
        page.moveView(() => page.view.zoomAt(wheelFactor(event), x, y));
        this.#hover(x, y);
      },
      { passive: false },
    );
  }

  /** Whether a drag of a tool is under way. */
  get dragging() {
    return this.#gestures.dragging;
  }

  /** Drop the drag under way; nothing changes. */
  abandon() {
    this.#gestures.abandon();
  }

  #scene(x, y) {
    return this.#page.view.toScene(x, y);
  }

  #start(x, y, event) {
    const point = this.#scene(x, y);
    if (event.button === 1 || this.held || this.tool === "hand") return false;
    if (this.tool === "select" && !(this.#page.frame && contains(this.#page.frame, point.x, point.y))) return false;
    if (DRAWING_TOOLS.includes(this.tool)) {
      this.#painting = this.tool;
      this.#painter.start(point, event, this.tool);
      return true;
    }
    this.#from = point;
    this.#frameBefore = this.#page.frame;
    return true;
  }

  /** What draws with the tool of the drag under way. */
  get #painter() {
    return this.#page[DRAWN_BY[this.#painting] ?? "mask"];
  }

  #move(x, y, event) {
    if (this.#painting) return this.#painter.move(this.#coalesced(x, y, event), this.#painting);
    const point = this.#scene(x, y);
    const { x: ax, y: ay } = this.#from;
    if (this.tool === "select") this.#page.setFrame(movedFrame(this.#frameBefore, point.x - ax, point.y - ay));
    else if (this.tool === "frame") this.drag = { rect: this.#dragged(point), kind: "frame" };
    else this.drag = { rect: snapOut(spanned(ax, ay, point.x, point.y)), kind: "erase" };
    this.#page.redraw();
  }

  /** Every place the pointer was at since the last event: a quick hand draws curves, not corners. */
  #coalesced(x, y, event) {
    const events = event.getCoalescedEvents?.() ?? [];
    if (!events.length) return [{ ...this.#scene(x, y), event }];
    const [dx, dy] = [x - event.clientX, y - event.clientY];
    return events.map((each) => ({ ...this.#scene(each.clientX + dx, each.clientY + dy), event: each }));
  }

  #dragged(point) {
    const { window } = modelInfo(this.#page.state);
    return draggedFrame(this.#from.x, this.#from.y, point.x, point.y, window, CLICK / this.#page.view.scale);
  }

  #end(x, y) {
    if (this.#painting) {
      this.#painter.end(this.#painting);
      this.#painting = null;
      return;
    }
    const point = this.#scene(x, y);
    const moved = Math.hypot(point.x - this.#from.x, point.y - this.#from.y) * this.#page.view.scale;
    if (this.tool === "frame") {
      this.#page.setFrame(this.#dragged(point));
      this.#page.chooseTool("select");
    } else if (this.tool === "erase" && moved >= CLICK) {
      void this.#page.actions.erase(spanned(this.#from.x, this.#from.y, point.x, point.y));
    }
    this.drag = null;
    this.#page.redraw();
  }

  #cancel() {
    if (this.#painting) {
      this.#painter.cancel();
      this.#painting = null;
      return;
    }
    if (this.tool === "select") this.#page.setFrame(this.#frameBefore);
    this.drag = null;
    this.#page.redraw();
  }

  #hover(x, y) {
    this.place = x === null ? null : this.#scene(x, y);
    this.#page.ring.move(x, y);
    if (this.tool in DRAWN_BY && !this.#painting) this.#page[DRAWN_BY[this.tool]].hover(this.place);
    this.#page.redrawStatus();
  }

  #cursor(surface) {
    const frame = this.#page.frame;
    const over = this.place && frame && contains(frame, this.place.x, this.place.y);
    const hand = this.held || this.tool === "hand";
    surface.dataset.cursor = hand ? "grab" : this.tool === "select" ? (over ? "move" : "grab") : "crosshair";
  }
}
