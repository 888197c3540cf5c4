/** The slider that says who decides what grows beside ground of another kind: that ground, or the prompt. */
import { h } from "../page/dom.mjs";
import { slot } from "./panel-slots.mjs";

const NAME = "Beside other ground";
const [GROUND, PROMPT] = ["continue the ground", "follow the prompt"];
/** Where the thumb rests while nobody has chosen. */
const MIDDLE = 0.5;

/** What a person chose, in words; empty where the ground decides. @param {number|null} follow */
export function followWords(follow) {
  if (follow === null) return "";
  if (follow === 0) return "continues the ground";
  return follow === 1 ? "follows the prompt" : `follows the prompt by ${Math.round(follow * 100)} %`;
}

export class FollowSlider {
  #auto;
  #input;
  #node;

  /** @param {(follow: number|null) => void} choose null: the ground decides */
  constructor(choose) {
    const help = "Ground that this prompt made is continued; beside other ground the prompt leads";
    this.#auto = h("button", { type: "button", class: "auto", title: help, "aria-label": `Auto: ${help}`, onclick: () => choose(null) }, "Auto");
    const label = `${NAME}: from 0, ${GROUND}, to 100, ${PROMPT}`;
    this.#input = h("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-label": label });
    // A click where the thumb rests changes no value, and yet it is a choice.
    for (const event of ["input", "click"]) this.#input.addEventListener(event, () => choose(Number(this.#input.value)));
    this.#node = h(
      "div",
      { class: "follow" },
      h("div", { class: "row-line" }, h("span", { class: "follow-name" }, NAME), this.#auto),
      this.#input,
      h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, GROUND), h("span", {}, PROMPT)),
    );
  }

  /** @param {number|null} follow */
  show(follow) {
    const place = slot("follow");
    if (!place) return;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    this.#input.value = String(follow ?? MIDDLE);
    this.#input.setAttribute("aria-valuetext", follow === null ? "Auto" : `${Math.round(follow * 100)} %, ${followWords(follow)}`);
    this.#auto.setAttribute("aria-pressed", String(follow === null));
    this.#node.classList.toggle("undecided", follow === null);
  }
}
