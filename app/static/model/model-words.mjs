/** What is said of a model. Pure. */
import { bytes, duration } from "../page/format.mjs";

/**
 * @typedef {{name: string, where: string, fingerprint: string|null, runs: boolean, why_not: string|null, partly: boolean, how: string|null,
 *   memory: string|null, seconds_per_step: Record<string, number>}} ModelHere as the server lists it
 */

/** @param {number} seconds @returns {string} */
const pace = (seconds) => (seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : duration(seconds));

/**
 * @param {ModelHere} model
 * @param {{info: {fingerprint?: string}|null, seconds_per_step: Record<string, number>}|null} current what the server says of it, where it is the one at work
 * @returns {string}
 */
export function factsOf(model, current) {
  if (model.partly) return `${model.where} · fetched in part`;
  if (!model.runs) return model.why_not ?? "It cannot be used here.";
  const paces = Object.entries({ ...model.seconds_per_step, ...current?.seconds_per_step }).filter(([name]) => name === "quality" || name === "fast");
  const speed = paces.map(([name, seconds]) => `${pace(seconds)} a step (${name})`).join(", ");
  const fingerprint = current?.info?.fingerprint ?? model.fingerprint;
  return [model.where, fingerprint, model.how, model.memory, speed || "speed not measured yet"].filter(Boolean).join(" · ");
}

/**
 * @param {string} name
 * @param {import("../scene/store.mjs").Fetching|null|undefined} fetching
 * @returns {string} what is said of a model that is not there yet
 */
export function loadingWords(name, fetching) {
  if (!fetching) return `Loading ${name} …`;
  if (fetching.stopping) return `Stopping; the piece of ${name} that is on its way is waited for …`;
  return `Fetching ${name}: ${bytes(fetching.bytes)} of ${bytes(fetching.of)} …`;
}
