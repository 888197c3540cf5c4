/**
 * How a scene's layers are looked at: order, visibility, opacity, display, and which layer is worked in. It belongs to the
 * browser, not to the scene: kept per scene, never sent. Pure but for the storage passed in.
 * @typedef {import("./layers.mjs").Layer} Layer
 * @typedef {import("./layers.mjs").Shown} Shown
 * @typedef {import("./display.mjs").Display} Display
 * @typedef {{name: Shown, visible: boolean, opacity: number, display: Display}} Row   opacity 0 to 1
 * @typedef {{left: Shown, right: Shown, at: number}} Swipe   at: where the line is, 0 to 1 of the window's width
 * @typedef {{active: Layer, rows: Row[], swipe: Swipe|null}} LayerView   rows from the bottom to the top
 */
import { AS_STORED, displayed } from "./display.mjs";
import { FALSE_COLOUR, NAMES } from "./layers.mjs";

const KEY = "text2earth.layers";
const MOST = 40;
/** Colours over the others, as long as nobody works in those. @type {Shown[]} */
const ROWS = [...NAMES.toReversed(), FALSE_COLOUR];

/** @returns {LayerView} of a scene that nobody has looked at yet */
export function initial() {
  return { active: "rgb", rows: ROWS.map((name) => ({ name, visible: name !== FALSE_COLOUR, opacity: 1, display: AS_STORED })), swipe: null };
}

/** @param {unknown} value @param {number} fallback */
function share(value, fallback) {
  return typeof value === "number" && value >= 0 && value <= 1 ? value : fallback;
}

/** What was kept, with whatever makes no sense in it as in a new scene. @param {any} kept @returns {LayerView} */
export function restored(kept) {
  const plain = initial();
  if (typeof kept !== "object" || kept === null) return plain;
  const told = Array.isArray(kept.rows) ? kept.rows.filter((row) => ROWS.includes(row?.name)) : [];
  const names = [...new Set([...told.map(({ name }) => name), ...ROWS])];
  const rows = names.map((name) => {
    const own = plain.rows.find((row) => row.name === name);
    const row = told.find((one) => one.name === name) ?? {};
    return { name, visible: typeof row.visible === "boolean" ? row.visible : own.visible, opacity: share(row.opacity, 1), display: displayed(row.display) };
  });
  const { left, right, at } = kept.swipe ?? {};
  const swipe = ROWS.includes(left) && ROWS.includes(right) ? { left, right, at: share(at, 0.5) } : null;
  return { active: NAMES.includes(kept.active) ? kept.active : "rgb", rows, swipe };
}

/** @param {LayerView} view @param {Shown} name @param {Partial<Row>} patch @returns {LayerView} */
export function changed(view, name, patch) {
  return { ...view, rows: view.rows.map((row) => (row.name === name ? { ...row, ...patch } : row)) };
}

/** A layer comes to the top, and is visible. @param {LayerView} view @param {Shown} name @returns {LayerView} */
export function raised(view, name) {
  const row = view.rows.find((one) => one.name === name);
  return { ...view, rows: [...view.rows.filter((other) => other !== row), { ...row, visible: true }] };
}

/** A layer becomes the one worked in, and what is made is to be seen. @param {LayerView} view @param {Layer} layer @returns {LayerView} */
export function chosen(view, layer) {
  return { ...raised(view, layer), active: layer };
}

/** A row past its next neighbour among those that are listed. @param {LayerView} view @param {Shown} name @param {1|-1} by 1 is up @param {Shown[]} listed @returns {LayerView} */
export function moved(view, name, by, listed) {
  const order = view.rows.map((row) => row.name).filter((one) => listed.includes(one));
  const neighbour = order[order.indexOf(name) + by];
  if (!neighbour) return view;
  const rows = [...view.rows];
  const to = rows.findIndex((row) => row.name === neighbour);
  rows.splice(to, 0, ...rows.splice(rows.findIndex((row) => row.name === name), 1));
  return { ...view, rows };
}

/** Rows that have something to show, bottom to top: false colour where both of its layers have. @param {LayerView} view @param {Layer[]} filled @returns {Row[]} */
export function listed(view, filled) {
  const both = filled.includes("rgb") && filled.includes("nir");
  return view.rows.filter(({ name }) => (name === FALSE_COLOUR ? both : filled.includes(name)));
}

/** The swipe to begin with: the highest two of what is listed. @param {Row[]} rows bottom to top, two at least @param {number} at @returns {Swipe} */
export function firstSwipe(rows, at) {
  const [right, left] = rows.filter(({ name }) => name !== FALSE_COLOUR).reverse();
  return { left: left.name, right: right.name, at };
}

/** @param {Storage} storage @returns {Record<string, unknown>} */
function all(storage) {
  try {
    return JSON.parse(storage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

/** @param {Storage} storage @param {string} scene @returns {LayerView} */
export function load(storage, scene) {
  return restored(all(storage)[scene]);
}

/** @param {Storage} storage @param {string} scene @param {LayerView} view */
export function save(storage, scene, view) {
  const { [scene]: _, ...others } = all(storage);
  try {
    storage.setItem(KEY, JSON.stringify(Object.fromEntries([...Object.entries(others), [scene, view]].slice(-MOST))));
  } catch {
    // Private windows may refuse storage; the layers then show as in a new scene.
  }
}
