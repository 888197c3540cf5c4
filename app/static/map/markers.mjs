/**
 * The parts of the map that are real elements, so that keyboard and screen reader reach them: extend handles on the
 * frame, and a label with an X at each job's place.
 * @typedef {import("../geometry/frames.mjs").Direction} Direction
 */
import { layerWords } from "../layers/layers.mjs";
import { h, icon, iconButton, keyed, setText } from "../page/dom.mjs";
import { duration } from "../page/format.mjs";
import { DIRECTION_NAMES, clearOf, handlePlaces, sideTowards } from "../geometry/frames.mjs";
import { fromXYWH, intersect } from "../geometry/rect.mjs";
import { isOnMap, isOpen } from "../scene/store.mjs";

const MIN_TAG = 96;
/** CSS px that a handle takes, with the room around it for a thumb. */
const GRIP = 44;
const TAG_HEIGHT = 28;
/** A frame below this many pixels has one handle at a time. */
const ALL_HANDLES = 112;
/** Below this there is no room for the prompt beside steps and time. */
const WITH_PROMPT = 210;

export class Markers {
  node = h("div", { class: "markers" });
  #handles;
  #jobs = h("div", { class: "job-tags" });
  #cancel;
  /** @type {import("../geometry/rect.mjs").Rect} part of the window not covered */
  #free = { x: 0, y: 0, w: 0, h: 0 };
  /** What lies over the map for a moment. @type {import("../geometry/rect.mjs").Rect|null} */
  #cover = null;
  /** The frame on the screen, null where it cannot be extended. @type {import("../geometry/rect.mjs").Rect|null} */
  #screen = null;
  /** @type {{direction: Direction, x: number, y: number}[]} */
  #places = [];
  /** Where the mouse or pen was last; fingers leave none. @type {{x: number, y: number}|null} */
  #pointer = null;

  /**
   * @param {{extend: (direction: Direction, count: number) => void, hover: (direction: Direction|null) => void,
   *   cancel: (job: string) => void}} actions
   */
  constructor(actions) {
    this.#cancel = actions.cancel;
    this.#handles = new Map(DIRECTION_NAMES.map((direction) => [direction, this.#handle(direction, actions)]));
    this.node.append(this.#jobs, ...this.#handles.values());
  }

  #handle(direction, actions) {
    return h(
      "button",
      {
        type: "button",
        class: "handle",
        "data-direction": direction,
        "aria-label": `Extend ${direction}`,
        title: `Extend ${direction} (Alt+Arrow); Shift: three in a row`,
        onclick: (event) => actions.extend(direction, event.shiftKey ? 3 : 1),
        onpointerenter: () => actions.hover(direction),
        onpointerleave: () => actions.hover(null),
        onfocus: () => actions.hover(direction),
        onblur: () => actions.hover(null),
      },
      icon("plus"),
    );
  }

  /**
   * @param {import("../scene/store.mjs").State} state @param {import("../geometry/view.mjs").View} view
   * @param {import("../geometry/rect.mjs").Rect|null} frame @param {import("../geometry/rect.mjs").Rect} free part of the window not covered
   * @param {import("../geometry/rect.mjs").Rect|null} cover what lies over that for a moment: handles and labels keep clear of it
   */
  update(state, view, frame, free, cover) {
    this.#free = free;
    this.#cover = cover;
    const extendable = Boolean(frame && state.scene && (!state.scene.empty || state.jobs.some(isOpen)));
    this.#screen = extendable ? view.rectToScreen(frame) : null;
    this.#places = extendable ? handlePlaces(this.#screen, free) : [];
    this.#showHandles();
    for (const [direction, button] of this.#handles) {
      const place = this.#places.find((other) => other.direction === direction);
      if (!place) continue;
      const y = clearOf({ x: place.x - GRIP / 2, y: place.y - GRIP / 2, w: GRIP, h: GRIP }, cover, free) + GRIP / 2;
      button.style.transform = `translate(${Math.round(place.x - 16)}px, ${Math.round(y - 16)}px)`;
    }
    const visible = view.visible();
    const jobs = state.jobs.filter((job) => isOnMap(job) && intersect(fromXYWH(job.request.frame), visible)).slice(0, 24);
    keyed(this.#jobs, jobs, (job) => job.id, (job) => this.#tag(job, view));
  }

  /** The mouse or pen is here, in window pixels. @param {number} x @param {number} y */
  follow(x, y) {
    this.#pointer = { x, y };
    if (this.#isSmall) this.#showHandles();
  }

  /** Around a small frame four handles would cover what lies beside it. */
  get #isSmall() {
    return Boolean(this.#screen) && Math.min(this.#screen.w, this.#screen.h) < ALL_HANDLES;
  }

  /** All handles; of a small frame that on the pointer's side, and one that has the focus. */
  #showHandles() {
    const only = this.#isSmall && this.#pointer ? sideTowards(this.#screen, this.#pointer.x, this.#pointer.y) : null;
    for (const [direction, button] of this.#handles) {
      const isThere = this.#places.some((place) => place.direction === direction);
      button.hidden = !isThere || Boolean(only && only !== direction && button !== document.activeElement);
    }
  }

  #tag(job, view) {
    const text = h("span", { class: "text" });
    const prompt = h("span", { class: "prompt" });
    const tag = h("div", { class: "job-tag" }, text, prompt, iconButton("close", "Cancel this job", () => this.#cancel(job.id)));
    const update = (now) => {
      const r = view.rectToScreen(fromXYWH(now.request.frame));
      // Kept in sight while its place is: one must always be able to cancel.
      const x = Math.min(Math.max(r.x, this.#free.x), Math.max(r.x, r.x + r.w - MIN_TAG));
      const held = Math.min(Math.max(r.y, this.#free.y), Math.max(r.y, r.y + r.h - TAG_HEIGHT));
      const y = clearOf({ x, y: held, w: MIN_TAG, h: TAG_HEIGHT }, this.#cover, this.#free);
      tag.style.transform = `translate(${x}px, ${y}px)`;
      // Frames of an extension overlap by half: so much of the label stays readable.
      const room = r.w / 2;
      tag.style.maxWidth = room < WITH_PROMPT ? "" : `${room}px`;
      tag.classList.toggle("running", now.state === "running");
      tag.classList.toggle("narrow", room < WITH_PROMPT);
      const eta = now.eta === null ? "" : ` · ${duration(now.eta)}`;
      setText(text, now.state === "running" ? `${now.step}/${now.steps}${eta}` : "queued");
      setText(prompt, `${layerWords(now.request)}${now.request.prompt || "(no prompt)"}`);
    };
    return Object.assign(tag, { update });
  }
}
