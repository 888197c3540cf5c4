/**
 * Into which layer a picture goes, and which of its bands are what. What the file says is proposed, and where nobody says
 * otherwise it is left to the file, which may also say where each layer is known.
 * @typedef {{bands: number, alpha: boolean, names?: string[], layers?: Record<string, number[]>}} Bands what the server tells of a file
 * @typedef {{layer: import("./layers.mjs").Layer|null, bands: number[]|null}} Chosen null leaves it to the file
 */
import { h } from "../page/dom.mjs";
import { LAYERS, titleOf } from "./layers.mjs";

/** Colours and near infrared of one file, side by side. */
const BOTH = "rgb nir";
const FILE = "file";
const COLOURS = ["Red", "Green", "Blue", "Near infrared"];

/** @param {Bands} file */
function told({ layers = {} }) {
  return LAYERS.filter(({ name }) => layers[name]).map(({ name }) => name);
}

/** What can be chosen, and what is proposed. Pure. @param {Bands} file @returns {{values: string[], proposed: string}} */
export function choices(file) {
  const names = told(file);
  const several = names.length > 1 && names.join(" ") !== BOTH;
  const values = [...(several ? [FILE] : []), ...(file.bands >= 4 ? [BOTH] : []), ...LAYERS.map(({ name }) => name)];
  if (several) return { values, proposed: FILE };
  if (names.join(" ") === BOTH) return { values, proposed: BOTH };
  if (names.length) return { values, proposed: names[0] };
  if (file.bands === 1) return { values, proposed: "pan" };
  // Four bands without a word are what satellites and aerial cameras deliver, unless one is transparency.
  return { values, proposed: file.bands === 4 && !file.alpha ? BOTH : "rgb" };
}

/** The bands of colours and near infrared to begin with. Pure. @param {Bands} file */
export function proposedBands({ layers = {} }) {
  return [...(layers.rgb ?? [1, 2, 3]), ...(layers.nir ?? [4])];
}

export class ImportBands {
  node;
  #file;
  #layer;
  #four;
  #one;
  #text;

  /** @param {Bands} file @param {HTMLElement|null} text the field in which bands of colours can be typed, null where there is nothing to choose */
  constructor(file, text) {
    this.#file = file;
    this.#text = text;
    const { values, proposed } = choices(file);
    const label = (value) => (value === FILE ? `As the file says: ${told(file).map(titleOf).join(", ")}` : value === BOTH ? "RGB and NIR" : titleOf(value));
    this.#layer = h("select", {}, ...values.map((value) => h("option", { value, selected: value === proposed }, label(value))));
    const bands = Array.from({ length: file.bands }, (_, n) => n + 1);
    const select = (what, chosen) =>
      h("label", {}, h("span", {}, what), h("select", { "aria-label": what }, ...bands.map((band) => h("option", { value: band, selected: band === chosen }, bandName(file, band)))));
    this.#four = file.bands >= 4 ? h("div", { class: "layer-bands" }, ...COLOURS.map((what, n) => select(what, proposedBands(file)[n]))) : null;
    this.#one = file.bands > 1 ? select("Band", file.layers?.[this.#layer.value]?.[0] ?? Math.min(file.bands, 4)) : null;
    this.node = h("div", { class: "import-layer" }, h("label", {}, h("span", {}, "Layer"), this.#layer), this.#four, this.#one);
    this.#layer.addEventListener("change", () => this.#show());
    this.#show();
  }

  /** @returns {Chosen|null} null where the field for bands of colours decides */
  get chosen() {
    const value = this.#layer.value;
    if (value === FILE) return { layer: null, bands: null };
    if (value === BOTH) {
      const bands = [...this.#four.querySelectorAll("select")].map((one) => Number(one.value));
      const same = told(this.#file).join(" ") === BOTH && bands.join() === proposedBands(this.#file).join();
      return { layer: null, bands: same ? null : bands };
    }
    const layer = /** @type {import("./layers.mjs").Layer} */ (value);
    if (layer === "rgb") return this.#text ? null : { layer, bands: null };
    const band = this.#one && Number(this.#one.querySelector("select").value);
    return { layer, bands: band && band !== this.#file.layers?.[layer]?.[0] ? [band] : null };
  }

  /** The layers that it goes into. @returns {string[]} */
  get layers() {
    const value = this.#layer.value;
    return value === FILE ? told(this.#file) : value === BOTH ? BOTH.split(" ") : [value];
  }

  #show() {
    const value = this.#layer.value;
    const single = ![FILE, BOTH, "rgb"].includes(value);
    if (this.#four) this.#four.hidden = value !== BOTH;
    if (this.#one) this.#one.hidden = !single;
    if (this.#text) this.#text.hidden = value !== "rgb";
    const own = single && this.#file.layers?.[value];
    if (own) this.#one?.querySelector("select").replaceChildren(...this.#options(own[0]));
  }

  #options(chosen) {
    return Array.from({ length: this.#file.bands }, (_, n) => h("option", { value: n + 1, selected: n + 1 === chosen }, bandName(this.#file, n + 1)));
  }
}

/** @param {Bands} file @param {number} band from 1 */
function bandName({ names }, band) {
  const name = names?.[band - 1];
  return name ? `${band}: ${name}` : String(band);
}
