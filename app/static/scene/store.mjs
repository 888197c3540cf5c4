/**
 * What the page knows of the scene, its jobs and the model. `reduce` is pure: events in, next state out.
 * @typedef {{id: string, title: string, resolution: number, revision: number, bounds: [number, number, number, number]|null,
 *   empty: boolean, can_undo: boolean, can_redo: boolean, layers: string[], layer_bounds: Record<string, [number, number, number, number]>, modified: string, tiles: number, bytes: number,
 *   anchor: {epsg: number, east: number, north: number}|null, changed?: [number, number, number, number][]}} Scene
 *   `changed`, in events alone: corners of what has changed
 * @typedef {{kind?: string, frame?: [number, number, number, number], prompt?: string, negative_prompt?: string, title?: string,
 *   seed?: number, steps?: number|null, guidance?: number|null, sampler?: string, follow?: number|null,
 *   strength?: number, feather?: number, variations?: number, layer?: string|null, adapters?: [string, number][], task?: string, model?: string}} Wanted what was asked for, as far as the page shows it
 * @typedef {{id: string, state: string, kind: string, request: Wanted, step: number, steps: number, seconds: number, eta: number|null,
 *   error: string|null, notes: string[], result: {bytes?: number, rect?: [number, number, number, number], layers?: string[]}|null, download: boolean, position: number, created: string|number}} Job
 * @typedef {{name: string, window: number, steps: number, guidance: number, max_steps: number, samplers: string[], fast_steps: number,
 *   resolutions: number[], resolution: number, device: string, fingerprint?: string}} ModelInfo
 * @typedef {{bytes: number, of: number, stopping: boolean}} Fetching of a model from the hub
 * @typedef {{state: "loading"|"ready"|"failed", error: string|null, info: ModelInfo|null, samplers?: string[], adapters?: import("../layers/layers.mjs").Adapter[], translations?: import("../layers/translate-dialog.mjs").Translation[],
 *   seconds_per_step: Record<string, number>, name?: string, switching?: string|null, refused?: string|null, fetching?: Fetching|null, names?: Record<string, string>}} Model
 * @typedef {{scene: Scene|null, jobs: Job[], candidates: import("../map/staging.mjs").Candidate[], model: Model, connected: boolean, deleted: boolean}} State
 * @typedef {{id: number, request: Wanted, rect: [number, number, number, number]|null, created?: string, undone: boolean, dropped: boolean, aside: boolean}} Step
 *   of the history; `aside` on a side branch
 */
import { fromXYWH } from "../geometry/rect.mjs";
import { layerOf } from "../layers/layers.mjs";

/** @type {Readonly<State>} */
export const EMPTY = Object.freeze({
  scene: null,
  jobs: [],
  candidates: [],
  model: /** @type {Model} */ ({ state: "loading", error: null, info: null, seconds_per_step: {} }),
  connected: false,
  deleted: false,
});

/** Kinds whose steps are the model's. */
const MEASURED = new Set(["generate", "edit", "fill"]);
/** Seconds and steps before a job's own pace tells anything, where no usual one is known and where one is: the first steps are not like the rest. */
const LEAST_SECONDS = 1;
const LEAST_STEPS = { alone: 5, corrected: 2 };
/** Jobs kept in sight that are not open: for a retry, or a download. */
const MAX_CLOSED = 8;

/** @param {Job} job */
export function isOpen(job) {
  return job.state === "queued" || job.state === "running";
}

/** Whether there is nothing left to do with a job. @param {Job} job */
function isOver(job) {
  if (job.state === "done") return !job.download;
  // A cancelled fill keeps what it has done: a retry goes on there.
  return job.state === "cancelled" && job.kind !== "fill";
}

/**
 * Seconds a running job still needs, from the steps seen so far. The server sends states, not a clock per step.
 */
export class Pace {
  /** @type {Map<string, {step: number, at: number}>} first step seen of each job */
  #first = new Map();

  /** @param {{job: string, step: number, steps: number}} preview @param {number} now seconds @param {number|null} usual seconds per step */
  eta({ job, step, steps }, now, usual) {
    const first = this.#first.get(job);
    if (!first || first.step > step) this.#first.set(job, { step, at: now });
    const own = first && step - first.step >= (usual === null ? LEAST_STEPS.alone : LEAST_STEPS.corrected) && now - first.at >= LEAST_SECONDS;
    const pace = own ? (now - first.at) / (step - first.step) : usual;
    return pace === null ? null : Math.max(0, (steps - step) * pace);
  }

  /** @param {string} job */
  forget(job) {
    this.#first.delete(job);
  }
}

/** The list with one job put in or replaced, in working order: running, queued by position, then what went wrong or is ready. */
function withJob(jobs, job) {
  const rest = jobs.filter((other) => other.id !== job.id);
  return ordered([...rest, job]);
}

/** @param {Job[]} jobs @returns {Job[]} */
export function ordered(jobs) {
  const rank = (job) => (job.state === "running" ? 0 : job.state === "queued" ? 1 : 2);
  const sorted = jobs
    .filter((job) => !isOver(job))
    .sort((a, b) => rank(a) - rank(b) || (rank(a) === 1 ? a.position - b.position : 0));
  const closed = sorted.filter((job) => !isOpen(job));
  return [...sorted.filter(isOpen), ...closed.slice(-MAX_CLOSED)];
}

/** @param {State} state @param {string} name @param {any} data @returns {State} */
export function reduce(state, name, data) {
  switch (name) {
    case "hello":
      return { ...state, scene: data.scene, jobs: ordered(data.jobs), candidates: data.candidates ?? [], model: data.model ?? state.model, deleted: !data.scene };
    case "scene":
      // Answers of our own requests and events cross: the older revision never wins.
      if (state.scene && data.revision < state.scene.revision) return state;
      return { ...state, scene: data };
    case "job":
      return { ...state, jobs: withJob(state.jobs, data) };
    case "preview": {
      const jobs = state.jobs.map((job) => {
        if (job.id !== data.job) return job;
        return { ...job, state: "running", step: data.step, steps: data.steps, eta: data.eta };
      });
      return { ...state, jobs };
    }
    case "candidates":
      return { ...state, candidates: data.candidates };
    case "dismissed":
      return { ...state, jobs: state.jobs.filter((job) => job.id !== data.id) };
    case "model":
      return { ...state, model: data };
    case "connected":
      return { ...state, connected: data };
    case "deleted":
      return { ...state, deleted: true };
    default:
      return state;
  }
}

/** Whether the page waits for anything. @param {State} state */
export function waits(state) {
  return state.jobs.some(isOpen) || state.model.state === "loading";
}

/** @param {State} state @param {string} id of a job */
export function isEdit(state, id) {
  return state.jobs.some((job) => job.id === id && job.kind === "edit");
}

/** Seconds per step that are known of a job's kind of work and its sampler. @param {State} state @param {string} id @returns {number|null} */
export function usualPace(state, id) {
  const job = state.jobs.find((one) => one.id === id);
  if (!job || !MEASURED.has(job.kind)) return null;
  const sampler = job.request.sampler ?? "quality";
  const { seconds_per_step: paces } = state.model;
  return (job.kind === "fill" ? paces[`fill ${sampler}`] : null) ?? paces[sampler] ?? null;
}

/** Seconds until all open jobs are done; null where there is none, or where nobody knows. @param {State} state */
export function secondsLeft(state) {
  const open = state.jobs.filter(isOpen);
  // What a job still takes counts those before it, too.
  return open.some(({ eta }) => eta === null) || !open.length ? null : Math.max(...open.map(({ eta }) => eta));
}

/** @param {State} state @param {string} id @returns {import("../geometry/rect.mjs").Rect|null} null once the job is over */
export function jobFrame(state, id) {
  const job = state.jobs.find((other) => other.id === id && isOnMap(other));
  return job ? fromXYWH(job.request.frame) : null;
}

/** Whether an open job has a place; an export, for one, has none. @param {Job} job */
export function isOnMap(job) {
  return isOpen(job) && Boolean(job.request.frame);
}

/** What the jobs not finished will have filled of a layer; an edit changes only what is under its mask. @param {State} state @param {string} [layer] @returns {import("../geometry/rect.mjs").Rect[]} */
export function pendingFrames(state, layer = "rgb") {
  return state.jobs.filter((job) => isOnMap(job) && job.kind !== "edit" && layerOf(job.request) === layer).map((job) => fromXYWH(job.request.frame));
}

/** The model's numbers, or what to assume until it is loaded. @param {State} state @returns {ModelInfo} */
export function modelInfo(state) {
  if (state.model.info) return state.model.info;
  // The server knows the samplers before the model is loaded; until it has said so, what the panel begins with.
  const samplers = state.model.samplers ?? ["quality", "fast"];
  return { name: "", window: 256, steps: 20, guidance: 4, max_steps: 100, samplers, fast_steps: 4, resolutions: [], resolution: 1, device: "" };
}
