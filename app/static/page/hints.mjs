/** The first-run card in an empty scene, the one line about handles after it, and the card of a scene that is gone. */
import { h, iconButton } from "./dom.mjs";
import { NARROW } from "./layout.mjs";
import { isOpen } from "../scene/store.mjs";

const SEEN = "text2earth.handles-seen";

export class Hints {
  node = h("div", { class: "hints" });
  #page;
  #first;
  #line;
  #gone = null;
  #seen = localStorage.getItem(SEEN) === "yes";
  #generated = false;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
    const example = h("button", { type: "button", class: "link", onclick: () => page.actions.scenes.example() }, "open an example scene");
    this.#first = h(
      "div",
      { class: "first-run", hidden: true },
      h("p", {}, "Describe a place in the panel, choose its resolution, and make the first tile: the scene begins here."),
      h("div", { class: "row" }, h("span", {}, "Or"), example),
    );
    this.#line = h(
      "p",
      { class: "hint-line", hidden: true },
      h("span", {}, "Press + at a side of the frame to let the scene grow that way, with the prompt in the box."),
      iconButton("close", "Do not show this again", () => this.#dismiss()),
    );
    this.node.append(this.#first, this.#line);
  }

  #dismiss() {
    this.#seen = true;
    this.#line.hidden = true;
    localStorage.setItem(SEEN, "yes");
  }

  /** Pixels that the line takes of the top of a narrow window. */
  get reserved() {
    return this.#line.hidden || innerWidth > NARROW ? 0 : this.#line.offsetHeight + 8;
  }

  /** @param {string} what the person has just done */
  used(what) {
    if (what === "generate" && this.#generated && !this.#seen) this.#dismiss();
    this.#generated = true;
  }

  /** @param {() => void} leave */
  gone(leave) {
    this.#gone?.remove();
    this.#gone = h(
      "div",
      { class: "first-run gone", role: "alert" },
      h("p", {}, "This scene does not exist any more: it was deleted, or the address is wrong."),
      h("div", { class: "row" }, h("button", { type: "button", class: "primary", onclick: leave }, "Open another scene")),
    );
    this.node.append(this.#gone);
  }

  /**
   * @param {import("../scene/store.mjs").State} state
   * @param {import("../geometry/rect.mjs").Rect|null} frame on the screen @param {import("../geometry/rect.mjs").Rect} free uncovered part
   * @param {boolean} drawing whether a mask or regions are drawn: no card may lie under the pointer then
   */
  update(state, frame, free, drawing) {
    if (!state.deleted) {
      this.#gone?.remove();
      this.#gone = null;
    }
    const working = state.jobs.some(isOpen);
    const { scene } = state;
    this.#first.hidden = !scene || !scene.empty || working || state.deleted || drawing;
    const was = this.#line.hidden;
    this.#line.hidden = this.#seen || !scene || (scene.empty && !working) || state.deleted || drawing;
    if (was !== this.#line.hidden) this.#page.redraw(); // what is free has changed with it
    this.#line.style.left = `${Math.round(free.x + free.w / 2)}px`;
    this.#line.style.maxWidth = `${Math.round(free.w - 16)}px`;
    // On a narrow window it lies under the bars, where `reserved` keeps the place free of handles.
    this.#line.style.top = innerWidth <= NARROW ? `${Math.round(free.y - this.reserved)}px` : "";
    for (const card of [this.#first, this.#gone]) {
      if (!card) continue;
      const middle = frame && card === this.#first ? frame : free;
      card.style.left = `${Math.round(Math.min(Math.max(middle.x + middle.w / 2, free.x + 150), free.x + free.w - 150))}px`;
      card.style.top = `${Math.round(Math.min(Math.max(middle.y + middle.h / 2, free.y + 60), free.y + free.h - 60))}px`;
    }
  }
}
