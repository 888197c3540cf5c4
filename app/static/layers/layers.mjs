/**
 * The layers of a scene: kinds of pictures (modalities) of one place on one grid, and what is drawn of them. Pure.
 * @typedef {"rgb"|"pan"|"nir"|"sar"} Layer
 * @typedef {Layer|"nir-r-g"} Shown a layer as it is, or false colour, which is composed of two when it is drawn
 * @typedef {{name: string, fingerprint: string, modality: string, bands: string[], rank: number, shipped: boolean, samples: number,
 *   figures: Record<string, unknown>, licence: string}} Adapter as the server tells; of the modality "rgb" it is a style
 */

/** From the bottom of a new scene to its top. @type {{name: Layer, title: string, about: string, bands: number}[]} */
export const LAYERS = [
  { name: "rgb", title: "RGB", about: "Colours: red, green, blue", bands: 3 },
  { name: "pan", title: "PAN", about: "Panchromatic: one band of all visible light", bands: 1 },
  { name: "nir", title: "NIR", about: "Near infrared: vegetation is bright, water dark", bands: 1 },
  { name: "sar", title: "SAR", about: "Radar backscatter: rough is bright, smooth dark", bands: 1 },
];

/** Near infrared, red and green as red, green and blue. */
export const FALSE_COLOUR = "nir-r-g";

/** @type {Layer[]} */
export const NAMES = LAYERS.map(({ name }) => name);

/** What is said of a layer in a list. @param {string} shown */
export function titleOf(shown) {
  return LAYERS.find(({ name }) => name === shown)?.title ?? (shown === FALSE_COLOUR ? "NIR, R, G" : shown.toUpperCase());
}

/** The layer of a request of a job, a candidate or a step of the history: records leave out colours. @param {{layer?: string|null}} request @returns {Layer} */
export function layerOf(request) {
  return NAMES.find((name) => name === request.layer) ?? "rgb";
}

/** The layers that hold anything, from the bottom of the table. @param {import("../scene/store.mjs").Scene|null} scene @returns {Layer[]} */
export function filled(scene) {
  return NAMES.filter((name) => scene?.layer_bounds?.[name]);
}

/** Why nothing can be made in a layer; null where something can. @param {import("../scene/store.mjs").Model} model @param {Layer} layer */
export function whyNot(model, layer) {
  if (layer === "rgb") return null;
  const { title } = LAYERS.find(({ name }) => name === layer);
  if (model.state !== "ready") return `${title} needs an adapter: the model is not loaded yet.`;
  if (model.adapters?.some(({ modality }) => modality === layer)) return null;
  return `No adapter for ${title} was made for this model: add one under Adapters.`;
}

/** Words before what a job or a step made, "" for colours. @param {{layer?: string|null}} request */
export function layerWords(request) {
  const layer = layerOf(request);
  return layer === "rgb" ? "" : `${titleOf(layer)} · `;
}
