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

/** Steps, guidance, quality, the main button and the negative prompt. @param {Description} description */
export function described(description) {
  const { maxSteps, steps, guidance, quality } = description;
  return [
    update({ maximum: maxSteps, value: steps }),
    guidance,
    // A choice of its own only while steps are chosen that neither of the two has.
    update({ choices: ["Fast", "Quality", ...(quality === null ? [CUSTOM] : [])].map((one) => [one, one]), value: quality ?? CUSTOM }),
    update({ value: description.label }),
    update({ interactive: !description.fast, info: description.fast ? "The fast sampler does not read it: choose Quality." : "" }),
  ];
}

/** As Gradio changes properties of a control. @param {Record<string, unknown>} properties */
function update(properties) {
  return { __type__: "update", ...properties };
}
