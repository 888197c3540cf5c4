/** The choice of a scene's resolution, each with a picture of what it shows; once ground is there, the one that was chosen. */
import { h, keyed, setText } from "../page/dom.mjs";
import { short } from "../page/format.mjs";
import { groundPicture } from "./ground-picture.mjs";
import { slot } from "./panel-slots.mjs";
import { resolutionNotes } from "./resolutions.mjs";

/** CSS px of a picture's side. */
const SIDE = 34;

export class ResolutionChoice {
  #choose;
  #name = h("legend", {});
  #row = h("div", { class: "resolutions" });
  #notes = h("p", { class: "info-text" });
  #node = h("fieldset", { id: "t2e-resolution" }, this.#name, this.#row, this.#notes);
  /** @type {import("./controls.mjs").Description} */
  #shown;

  /** @param {(metres: number) => void} choose */
  constructor(choose) {
    this.#choose = choose;
  }

  /** @param {import("./controls.mjs").Description} description */
  show(description) {
    const place = slot("resolution");
    if (!place) return;
    if (this.#node.parentNode !== place) place.replaceChildren(this.#node);
    this.#shown = description;
    const { choices, fixed, resolution } = description;
    const offered = fixed ? choices.filter(({ metres }) => metres === resolution) : choices;
    setText(this.#name, fixed ? "Resolution, m/px (fixed)" : "Resolution, m/px");
    setText(this.#notes, resolutionNotes(description));
    keyed(this.#row, offered, ({ metres }) => String(metres), (choice) => this.#choice(choice));
  }

  #choice({ metres }) {
    const input = h("input", { type: "radio", name: "t2e-resolution", value: metres, onchange: () => this.#choose(metres) });
    const text = h("span", {});
    const label = h("label", {}, input, groundPicture(metres, SIDE), text);
    const update = ({ trained }) => {
      setText(text, trained ? short(metres) : `${short(metres)} *`);
      input.checked = metres === this.#shown.resolution;
      input.disabled = this.#shown.fixed;
      label.classList.toggle("selected", input.checked);
      label.title = `${metres} metres per pixel`;
    };
    return Object.assign(label, { update });
  }
}
