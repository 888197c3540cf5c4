/** The dice beside the seed: another one for what is made next. */
import { iconButton } from "../page/dom.mjs";
import { slot } from "./panel-slots.mjs";

export class SeedDice {
  #node;

  /** @param {() => void} roll */
  constructor(roll) {
    this.#node = iconButton("dice", "Another seed", roll);
  }

  show() {
    const place = slot("dice");
    if (place && this.#node.parentNode !== place) place.replaceChildren(this.#node);
  }
}
