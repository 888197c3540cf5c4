/** Which layers an export holds: several in a GeoTIFF, one in a picture or a map of tiles. */
import { h } from "../page/dom.mjs";
import { LAYERS, filled } from "./layers.mjs";

export class ExportLayers {
  /** Null where there is nothing to choose. @type {HTMLFieldSetElement|null} */
  node = null;
  #choices;
  #layers;
  #several = true;
  #chosen;
  #one;

  /** @param {import("../scene/store.mjs").Scene} scene @param {import("./layers.mjs").Layer} active */
  constructor(scene, active) {
    this.#layers = filled(scene);
    this.#chosen = new Set(this.#layers);
    this.#one = this.#layers.includes(active) ? active : this.#layers[0];
    if (this.#layers.length < 2) return;
    this.#choices = h("div", { class: "layer-choices" });
    this.node = h("fieldset", {}, h("legend", {}, "Layers"), this.#choices);
    this.node.addEventListener("change", (event) => this.#take(/** @type {HTMLInputElement} */ (event.target)));
    this.#build();
  }

  /** @param {boolean} several whether the format holds more than one */
  allow(several) {
    if (several === this.#several || !this.node) return;
    this.#several = several;
    this.#build();
  }

  /** In the order of a file; none where the person has taken all of them away. */
  get layers() {
    return this.#several ? this.#layers.filter((name) => this.#chosen.has(name)) : [this.#one];
  }

  /** Bands of all of them. */
  get bands() {
    return LAYERS.filter(({ name }) => this.layers.includes(name)).reduce((sum, { bands }) => sum + bands, 0);
  }

  #take({ value, checked }) {
    const layer = /** @type {import("./layers.mjs").Layer} */ (value);
    if (!this.#several) this.#one = layer;
    else if (checked) this.#chosen.add(layer);
    else this.#chosen.delete(layer);
  }

  #build() {
    const type = this.#several ? "checkbox" : "radio";
    const shown = LAYERS.filter(({ name }) => this.#layers.includes(name));
    this.#choices.replaceChildren(
      ...shown.map(({ name, title, about }) => h("label", { class: "choice", title: about }, h("input", { type, name: "t2e-layers", value: name, checked: this.layers.includes(name) }), h("b", {}, title))),
    );
  }
}
