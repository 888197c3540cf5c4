/**
 * What the panel's controls say, and what is remembered between visits. Pure but for the storage passed in.
 * @typedef {{prompt: string, negative_prompt: string, seed: number, seed_locked: boolean, seed_used: boolean,
 *            steps: number|null, guidance: number|null, sampler: string|null, follow: number|null}} Settings
 *   `seed_used`: something was made with the seed that shows, so that the next thing gets another one unless it is locked;
 *   null: the model's own value; of `follow` (0 continues the ground, 1 follows the prompt) that the ground decides
 * @typedef {{steps: number, guidance: number, max_steps: number, samplers: string[], fast_steps: number}} ModelInfo
 */

export const MAX_SEED = 2 ** 32 - 1;
/** Wider than any model: what the model itself allows is the server's to say. */
const MAX_STEPS = 1000;
const MAX_GUIDANCE = 30;
const KEY = "text2earth.settings";

/** The first picture that somebody makes, chosen by eye among those of the shipped model by either sampler. @type {Settings} */
export const DEFAULTS = Object.freeze({
  prompt: "a lake in a green forest",
  negative_prompt: "",
  seed: 3,
  seed_locked: false,
  seed_used: false,
  steps: null,
  guidance: null,
  sampler: null,
  follow: null,
});

/** @param {unknown} value @param {number} low @param {number} high @param {number|null} fallback for what is no number */
function bounded(value, low, high, fallback) {
  const empty = value === null || (typeof value === "string" && value.trim() === "");
  return empty || !Number.isFinite(Number(value)) ? fallback : Math.min(high, Math.max(low, Number(value)));
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
  if (typeof patch.seed_used === "boolean") next.seed_used = patch.seed_used;
  if ("seed" in patch) next.seed = Math.round(bounded(patch.seed, 0, MAX_SEED, settings.seed));
  if (patch.steps === null) next.steps = null;
  else if ("steps" in patch) next.steps = Math.round(bounded(patch.steps, 1, MAX_STEPS, settings.steps));
  if (patch.sampler === null) next.sampler = null;
  else if (typeof patch.sampler === "string") next.sampler = patch.sampler;
  if (patch.guidance === null) next.guidance = null;
  else if ("guidance" in patch) next.guidance = bounded(patch.guidance, 0, MAX_GUIDANCE, settings.guidance);
  if (patch.follow === null) next.follow = null;
  else if ("follow" in patch) next.follow = bounded(patch.follow, 0, 1, settings.follow);
  return next;
}

/** What a named quality sets, whatever the model. @param {string} name "Fast" or "Quality" @returns {Partial<Settings>} */
export function quality(name) {
  return name === "Fast" ? { sampler: "fast", steps: null, guidance: null } : { sampler: "quality", steps: null };
}

/** "fast" or "quality": what is chosen, otherwise fast where the model has a student. @param {Settings} settings @param {ModelInfo} info */
function wished({ sampler, steps, guidance }, info) {
  const own = steps !== null || guidance !== null;
  return sampler ?? (!own && info.samplers.includes("fast") ? "fast" : "quality");
}

/**
 * Sampler, steps and guidance with the model's own where none is chosen. Without a student, fast means fewer steps.
 * @param {Settings} settings @param {ModelInfo} info
 */
export function effective(settings, info) {
  const fast = wished(settings, info) === "fast";
  if (fast && info.samplers.includes("fast")) return { ...settings, sampler: "fast", steps: info.fast_steps, guidance: 1 };
  const usual = fast ? Math.max(1, Math.round(info.steps * 0.4)) : info.steps;
  return { ...settings, sampler: "quality", steps: settings.steps ?? usual, guidance: settings.guidance ?? info.guidance };
}

/** Name of the quality that is set, null for steps of one's own. @param {Settings} settings @param {ModelInfo} info */
export function qualityName(settings, info) {
  if (wished(settings, info) === "fast") return "Fast";
  return (settings.steps ?? info.steps) === info.steps ? "Quality" : null;
}

/** What the next thing is made with: the seed that shows while it is locked or unused, otherwise a new one. @param {Settings} settings */
export function nextSeed(settings, random = Math.random) {
  return settings.seed_locked || !settings.seed_used ? settings.seed : Math.floor(random() * MAX_SEED);
}

/** @param {Storage} storage @returns {Settings} */
export function load(storage) {
  try {
    return merged(DEFAULTS, JSON.parse(storage.getItem(KEY) ?? "{}"));
  } catch {
    // A browser that refuses storage, or a damaged entry: start from the defaults.
    return { ...DEFAULTS };
  }
}

/** @param {Storage} storage @param {Settings} settings */
export function save(storage, settings) {
  try {
    storage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Private windows may refuse storage; nothing but convenience is lost.
  }
}
