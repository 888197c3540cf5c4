/** The line between two layers that are compared, with a grip to move it and a bar that says which they are. */
import { h, iconButton } from "../page/dom.mjs";
import { titleOf } from "./layers.mjs";

const [STEP, LARGE_STEP] = [0.01, 0.1];

/** @typedef {import("./view-state.mjs").Swipe} Swipe */

export class SwipeLine {
  node = h("div", { class: "swipe", hidden: true });
  #line;
  #bar;
  #left;
  #right;
  /** @type {Swipe|null} */
  #swipe = null;
  #width = 1;
  #actions;

  /** @param {{set: (patch: Partial<Swipe>) => void, end: () => void}} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#line = h(
      "div",
      { class: "swipe-line", role: "slider", tabindex: "0", "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": 100, title: "Drag, or use the arrow keys; Escape ends" },
      h("span", { class: "swipe-grip", "aria-hidden": "true" }),
    );
    this.#line.addEventListener("pointerdown", (event) => this.#hold(event));
    this.#line.addEventListener("keydown", (event) => this.#key(event));
    const select = (side, set) => {
      const node = h("select", { "aria-label": `Layer on the ${side}` });
      node.addEventListener("change", () => set(/** @type {import("./layers.mjs").Shown} */ (node.value)));
      return node;
    };
    this.#left = select("left", (left) => actions.set({ left }));
    this.#right = select("right", (right) => actions.set({ right }));
    const turn = iconButton("turn", "Change sides", () => actions.set({ left: this.#swipe.right, right: this.#swipe.left }));
    this.#bar = h("div", { class: "swipe-bar", role: "group", "aria-label": "Comparison" }, this.#left, turn, this.#right, iconButton("close", "End the comparison", actions.end, "Esc"));
    this.#bar.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      actions.end();
    });
    this.node.append(this.#line, this.#bar);
  }

  get hasFocus() {
    return this.node.contains(document.activeElement);
  }

  focus() {
    this.#line.focus();
  }

  /** @param {PointerEvent} event */
  #hold(event) {
    event.preventDefault();
    this.focus();
    this.#line.setPointerCapture(event.pointerId);
    const move = ({ clientX }) => this.#move(clientX / this.#width);
    this.#line.addEventListener("pointermove", move);
    this.#line.addEventListener("lostpointercapture", () => this.#line.removeEventListener("pointermove", move), { once: true });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const { at } = this.#swipe;
    const to = { ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step, PageUp: at + LARGE_STEP, PageDown: at - LARGE_STEP, Home: 0, End: 1 }[event.key];
    if (to !== undefined) this.#move(to);
    else if (event.key === "Escape") this.#actions.end();
    else return;
    event.preventDefault();
  }

  #move(at) {
    this.#actions.set({ at: Math.round(1000 * Math.min(1, Math.max(0, at))) / 1000 });
  }

  /**
   * @param {Swipe|null} swipe @param {string[]} names that can be compared @param {import("../geometry/view.mjs").View} view
   * @param {import("../geometry/rect.mjs").Rect} free part of the window not covered
   */
  update(swipe, names, view, free) {
    this.#swipe = swipe;
    this.#width = view.width;
    this.node.hidden = !swipe;
    if (!swipe) return;
    const [left, right] = [titleOf(swipe.left), titleOf(swipe.right)];
    const percent = Math.round(swipe.at * 100);
    const x = swipe.at * view.width;
    this.#line.style.transform = `translateX(${Math.round(x)}px)`;
    this.#line.style.setProperty("--t2e-grip", `${Math.round(free.y + free.h / 2)}px`);
    this.#line.setAttribute("aria-label", `Line between ${left} and ${right}`);
    this.#line.setAttribute("aria-valuenow", String(percent));
    this.#line.setAttribute("aria-valuetext", `${left} on the left ${percent} % of the window, ${right} on the rest`);
    for (const [node, value] of /** @type {[HTMLSelectElement, string][]} */ ([[this.#left, swipe.left], [this.#right, swipe.right]])) {
      if (node.dataset.names !== names.join()) node.replaceChildren(...names.map((name) => h("option", { value: name }, titleOf(name))));
      node.dataset.names = names.join();
      node.value = value;
    }
    const width = this.#bar.offsetWidth;
    const at = Math.max(free.x + 4, Math.min(free.x + free.w - width - 4, x - width / 2));
    this.#bar.style.transform = `translate(${Math.round(at)}px, ${Math.round(free.y + 4)}px)`;
  }
}
