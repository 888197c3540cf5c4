/**
 * What Gradio's controls are told: values and updates, in the order in which `app/page/page.py` names its outputs. Pure.
 * @typedef {{resolution: number, trained: boolean, choices: {metres: number, trained: boolean}[], fixed: boolean, window: number,
 *   maxSteps: number, steps: number, guidance: number, quality: string|null, label: string, fast: boolean}} Description of scene and model
 *   `label`: of the main button; `fast`: the student samples
 */

const CUSTOM = "Custom";

/** Prompt, negative prompt, seed and its lock. @param {import("./settings.mjs").Settings} settings */
export function chosen({ prompt, negative_prompt, seed, seed_locked }) {
  return [prompt, negative_prompt, seed, seed_locked];
}

/** Resolution, steps, guidance, quality, the main button and the negative prompt. @param {Description} description */
export function described(description) {
  const { resolution, choices, fixed, maxSteps, steps, guidance, quality } = description;
  const named = choices.map(({ metres, trained }) => [trained ? String(metres) : `${metres} *`, metres]);
  const name = fixed ? "Resolution, m/px (fixed)" : "Resolution, m/px";
  return [
    update({ choices: named, value: resolution, interactive: !fixed, label: name, info: notes(description) }),
    update({ maximum: maxSteps, value: steps }),
    guidance,
    // A choice of its own only while steps are chosen that neither of the two has.
    update({ choices: ["Fast", "Quality", ...(quality === null ? [CUSTOM] : [])].map((one) => [one, one]), value: quality ?? CUSTOM }),
    update({ value: description.label }),
    update({ interactive: !description.fast, info: description.fast ? "The fast sampler does not read it: choose Quality." : "" }),
  ];
}

/** What is to be said about the resolution. @param {Description} description */
function notes({ resolution, trained, choices, fixed, window }) {
  const side = Math.round(window * resolution);
  const covers = fixed ? "" : `One window: ${side} × ${side} m.`;
  const strange = trained ? "" : `This model was not trained at ${resolution} m/px.`;
  const marks = !fixed && trained && choices.some((choice) => !choice.trained) ? "* untrained." : "";
  return [covers, strange, marks].filter(Boolean).join(" ");
}

/** As Gradio changes properties of a control. @param {Record<string, unknown>} properties */
function update(properties) {
  return { __type__: "update", ...properties };
}
