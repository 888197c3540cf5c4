/**
 * Kept in the browser: where the view and the frame were in each scene, and which failed jobs were dismissed.
 */
const KEY = "text2earth.places";
const MOST = 40;
const DISMISSED = "text2earth.dismissed";
const MOST_DISMISSED = 200;

/** @param {Storage} storage @returns {Record<string, any>} */
function all(storage) {
  try {
    return JSON.parse(storage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {any} place as it was stored; whether every number needed is there */
function isPlace(place) {
  const frames = [place?.frame, ...(Array.isArray(place?.moves) ? place.moves.flat() : [])];
  const numbers = [place?.cx, place?.cy, place?.scale, ...frames.flatMap((frame) => [frame?.x, frame?.y, frame?.w, frame?.h])];
  return numbers.every((number) => Number.isFinite(number)) && place.scale > 0 && place.frame.w > 0 && place.frame.h > 0;
}

/**
 * @typedef {import("../geometry/rect.mjs").Rect} Rect
 * @typedef {{cx: number, cy: number, scale: number, frame: Rect, moves?: [Rect, Rect][]}} Place of the view and the frame, and of the frame before
 */

/** @param {Storage} storage @param {string} scene @returns {Place|null} */
export function recall(storage, scene) {
  const place = all(storage)[scene];
  return isPlace(place) ? place : null;
}

/** @param {Storage} storage @param {string} scene @param {object} place */
export function remember(storage, scene, place) {
  const { [scene]: _, ...others } = all(storage);
  const entries = [...Object.entries(others), [scene, place]].slice(-MOST);
  try {
    storage.setItem(KEY, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // Private windows may refuse storage; the scene then opens fitted to its content.
  }
}

/** @param {Storage} storage @returns {Set<string>} ids of the jobs the person does not want to see again */
export function dismissed(storage) {
  try {
    return new Set(JSON.parse(storage.getItem(DISMISSED) ?? "[]"));
  } catch {
    return new Set();
  }
}

/** @param {Storage} storage @param {string} job */
export function dismiss(storage, job) {
  const ids = [...dismissed(storage), job].slice(-MOST_DISMISSED);
  try {
    storage.setItem(DISMISSED, JSON.stringify(ids));
  } catch {
    // Without storage the job comes back with the next reload.
  }
}

const SAVE_MS = 400;

/** Keeps where one is in the open scene, not with each of the hundred moves a drag makes. */
export class PlaceKeeper {
  #page;
  #timer = 0;

  /** @param {import("../scene-canvas.mjs").Page} page */
  constructor(page) {
    this.#page = page;
  }

  keepSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), SAVE_MS);
  }

  keep() {
    clearTimeout(this.#timer);
    const { frame, sceneId, state, trail, view } = this.#page;
    if (!sceneId || !frame || !state.scene) return;
    remember(localStorage, sceneId, { cx: view.cx, cy: view.cy, scale: view.scale, frame, moves: trail.moves });
  }
}
