/**
 * How strongly each style is used, remembered between visits by name. Pure but for the storage passed in.
 * @typedef {import("./layers.mjs").Adapter} Adapter
 */

export const MOST_WEIGHT = 1.5;
const KEY = "text2earth.adapters";

/** @param {unknown} weight @returns {number} 0 is off */
export function weightOf(weight) {
  return typeof weight === "number" && weight > 0 ? Math.min(weight, MOST_WEIGHT) : 0;
}

/** Adapters that change how colours are made; the others make layers and come by themselves. @param {Adapter[]} adapters */
export function styles(adapters) {
  return adapters.filter(({ modality }) => modality === "rgb");
}

/** As a request has them. @param {Adapter[]} adapters that the model knows @param {Record<string, number>} weights @returns {[string, number][]} */
export function requested(adapters, weights) {
  return styles(adapters)
    .map(({ name }) => /** @type {[string, number]} */ ([name, weightOf(weights[name])]))
    .filter(([, weight]) => weight > 0);
}

/** The weights that a step was made with; records name adapters by fingerprint. @param {Adapter[]} adapters @param {[string, number][]} used @returns {Record<string, number>} */
export function weightsOf(adapters, used) {
  const known = styles(adapters).flatMap(({ name, fingerprint }) => used.filter(([key]) => key === fingerprint || key === name).map(([, weight]) => [name, weightOf(weight)]));
  return Object.fromEntries(known);
}

/** @param {Storage} storage @returns {Record<string, number>} */
export function loadWeights(storage) {
  try {
    const kept = Object.entries(JSON.parse(storage.getItem(KEY) ?? "{}") ?? {});
    return Object.fromEntries(kept.map(([name, weight]) => [name, weightOf(weight)]));
  } catch {
    return {};
  }
}

/** @param {Storage} storage @param {Record<string, number>} weights */
export function saveWeights(storage, weights) {
  try {
    storage.setItem(KEY, JSON.stringify(weights));
  } catch {
    // Without storage the styles are off with the next visit.
  }
}
