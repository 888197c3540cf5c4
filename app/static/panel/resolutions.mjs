/** The resolutions a new scene can be given, and which of them the model knows. Pure. */

/** m/px that are offered besides the model's own: somebody may bring pictures of these. */
const USUAL = [0.5, 1, 2, 4, 8, 16];
/** How far beyond what it was trained on a model is still at home: levels are continuous to it. */
const SLACK = 1.1;

/**
 * @param {number[]} trained m/px the model was trained on; none where it is not known yet
 * @param {number} current m/px of the scene
 * @returns {{metres: number, trained: boolean}[]} from fine to coarse
 */
export function choices(trained, current) {
  const all = trained.length ? [...trained, ...USUAL, current] : [current];
  return [...new Set(all)].sort((a, b) => a - b).map((metres) => ({ metres, trained: isTrained(trained, metres) }));
}

/** Whether the model has seen pictures of about this resolution, or of finer and of coarser ones. @param {number[]} trained @param {number} metres */
export function isTrained(trained, metres) {
  return !trained.length || (metres * SLACK >= Math.min(...trained) && metres <= Math.max(...trained) * SLACK);
}

/** What is to be said about the resolution. @param {import("./controls.mjs").Description} description */
export function resolutionNotes({ resolution, trained, choices, fixed, window }) {
  const side = Math.round(window * resolution);
  const covers = fixed ? "" : `One window: ${side} × ${side} m.`;
  const strange = trained ? "" : `This model was not trained at ${resolution} m/px.`;
  const marks = !fixed && trained && choices.some((choice) => !choice.trained) ? "* untrained." : "";
  return [covers, strange, marks].filter(Boolean).join(" ");
}
