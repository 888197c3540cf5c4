/**
 * One-sentence messages at the bottom of the map, on a narrow window at its top, announced to screen readers.
 * @typedef {import("../scene/store.mjs").State} State
 */
import { h, iconButton } from "./dom.mjs";
import { NARROW } from "./layout.mjs";

const MOST = 3;

export class Notices {
  node = h("div", { class: "notices", role: "status", "aria-live": "polite" });

  /** Those that go when what they say holds no more. @type {{notice: Element, holds: (state: State) => boolean}[]} */
  #passing = [];
  #changed;

  /** @param {() => void} changed called when there is another one, or one less */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * @param {string} sentence
   * @param {{error?: boolean, action?: {label: string, run: () => void}, seconds?: number, holds?: (state: State) => boolean}} [options]
   */
  show(sentence, { error = false, action, seconds = error ? 0 : 6, holds } = {}) {
    for (const other of [...this.node.children]) {
      if (other.getAttribute("data-sentence") === sentence) other.remove();
    }
    const notice = h("div", { class: error ? "notice error" : "notice", "data-sentence": sentence }, h("span", {}, sentence));
    const close = () => {
      notice.remove();
      this.#changed();
    };
    if (action) {
      const run = () => {
        close();
        action.run();
      };
      notice.append(h("button", { type: "button", class: "link", onclick: run }, action.label));
    }
    notice.append(iconButton("close", "Dismiss", close));
    this.node.append(notice);
    while (this.node.children.length > MOST) this.node.firstElementChild.remove();
    if (holds) this.#passing.push({ notice, holds });
    if (seconds) setTimeout(close, seconds * 1000);
    this.#changed();
  }

  /** On a narrow window they lie under what is open there. @param {import("../geometry/rect.mjs").Rect} free part of the window not covered */
  place(free) {
    this.node.style.top = innerWidth <= NARROW ? `${Math.round(free.y)}px` : "";
  }

  /** What they cover, in window pixels; null where there is none. @returns {import("../geometry/rect.mjs").Rect|null} */
  get box() {
    if (!this.node.childElementCount) return null;
    const { x, y, width, height } = this.node.getBoundingClientRect();
    return { x, y, w: width, h: height };
  }

  /** @param {State} state as it is now */
  check(state) {
    for (const { notice, holds } of this.#passing) if (!holds(state)) notice.remove();
    this.#passing = this.#passing.filter(({ notice }) => notice.isConnected);
  }

  clear() {
    this.node.replaceChildren();
  }
}
