/**
 * What the panel's controls say, and what is remembered between visits. Pure but for the storage passed in.
 * @typedef {{prompt: string, negative_prompt: string, seed: number, seed_locked: boolean,
 *            steps: number, guidance: number}} Settings
 * @typedef {{steps: number, guidance: number, max_steps: number}} ModelInfo
 */

export const MAX_SEED = 2 ** 31 - 1;
const KEY = "text2earth.settings";

/** @type {Settings} */
export const DEFAULTS = Object.freeze({
  prompt: "dense green forest",
  negative_prompt: "",
  seed: 7,
  seed_locked: false,
  steps: 20,
  guidance: 4,
});

/** @param {unknown} value @param {number} low @param {number} high @param {number} fallback */
function bounded(value, low, high, fallback) {
  const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value);
  return value === null || !Number.isFinite(number) ? fallback : Math.min(high, Math.max(low, number));
}

/**
 * The settings with a patch applied; fields that make no sense keep their former value, unknown ones are dropped.
 * @param {Settings} settings @param {Partial<Record<keyof Settings, unknown>>} patch @returns {Settings}
 */
export function merged(settings, patch) {
  const next = { ...settings };
  if (typeof patch.prompt === "string") next.prompt = patch.prompt;
  if (typeof patch.negative_prompt === "string") next.negative_prompt = patch.negative_prompt;
  if (typeof patch.seed_locked === "boolean") next.seed_locked = patch.seed_locked;
  if ("seed" in patch) next.seed = Math.round(bounded(patch.seed, 0, MAX_SEED, settings.seed));
  if ("steps" in patch) next.steps = Math.round(bounded(patch.steps, 1, 1000, settings.steps));
  if ("guidance" in patch) next.guidance = bounded(patch.guidance, 0, 100, settings.guidance);
  return next;
}

/** Steps of the two named qualities. @param {ModelInfo} info */
export function qualities(info) {
  return { Fast: Math.max(4, Math.round(info.steps * 0.4)), Quality: info.steps };
}

/** Name of the quality with these steps, null for a number of one's own. @param {number} steps @param {ModelInfo} info */
export function qualityName(steps, info) {
  const match = Object.entries(qualities(info)).find(([, value]) => value === steps);
  return match ? match[0] : null;
}

/** The seed after one generation: the same when locked, otherwise a new one. @param {Settings} settings */
export function nextSeed(settings, random = Math.random) {
  return settings.seed_locked ? settings.seed : Math.floor(random() * MAX_SEED);
}

/** @param {Storage} storage @returns {{settings: Settings, known: boolean}} `known`: something was remembered */
export function load(storage) {
  try {
    const text = storage.getItem(KEY);
    if (text) return { settings: merged(DEFAULTS, JSON.parse(text)), known: true };
  } catch {
    // A browser that refuses storage, or a damaged entry: start from the defaults.
  }
  return { settings: { ...DEFAULTS }, known: false };
}

/** @param {Storage} storage @param {Settings} settings */
export function save(storage, settings) {
  try {
    storage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Private windows may refuse storage; nothing but convenience is lost.
  }
}

/**
 * Seconds a frame will take: overlapping windows in half-window steps, each `steps` times `secondsPerStep`.
 * @param {{w: number, h: number}} frame @param {number} window @param {number} steps
 * @param {number|null} secondsPerStep @returns {number|null}
 */
export function estimate(frame, window, steps, secondsPerStep) {
  if (!secondsPerStep) return null;
  const along = (side) => (side <= window ? 1 : 1 + Math.ceil((side - window) / (window / 2)));
  return along(frame.w) * along(frame.h) * steps * secondsPerStep;
}
