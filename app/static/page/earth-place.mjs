/**
 * Where places of an anchored scene lie on Earth. East and north are a matter of counting pixels; degrees come from the
 * server, a moment after the pointer has come to rest, and are carried on in a straight line until then.
 */
const REST_MS = 150;
/** Scene px within which a straight line is exact to what is shown. */
const NEAR = 32;

/**
 * @typedef {{east: number, north: number, step: [number, number], lon: number, lat: number, turn: [number, number][]}} Ground what the server tells of a pixel
 * @typedef {import("../scene/store.mjs").Scene} Scene
 */

/** @param {Ground & {x: number, y: number}} known @param {number} x @param {number} y scene px */
export function carried(known, x, y) {
  const [dx, dy] = [x - known.x, y - known.y];
  const [right, down] = known.turn;
  return {
    east: known.east + dx * known.step[0],
    north: known.north + dy * known.step[1],
    lon: known.lon + dx * right[0] + dy * down[0],
    lat: known.lat + dx * right[1] + dy * down[1],
  };
}

/** @param {number} value degrees @param {string} plus @param {string} minus letters of the two directions */
const degrees = (value, plus, minus) => `${Math.abs(value).toFixed(5)}° ${value < 0 ? minus : plus}`;

/** @param {{east: number, north: number, lon: number, lat: number}} place @param {number} unit map units per pixel */
export function placeText({ east, north, lon, lat }, unit) {
  const digits = Math.abs(unit) < 1 ? 1 : 0;
  return `E ${east.toFixed(digits)}   N ${north.toFixed(digits)}   ${degrees(lat, "N", "S")} ${degrees(lon, "E", "W")}`;
}

export class EarthPlace {
  #api;
  #redraw;
  /** @type {(Ground & {x: number, y: number, of: string})|null} */
  #known = null;
  #timer = 0;
  #asking = false;

  /** @param {import("../scene/transport.mjs").Api} api @param {() => void} redraw called when more is known */
  constructor(api, redraw) {
    this.#api = api;
    this.#redraw = redraw;
  }

  /** What the status bar says of a place; null where the scene lies nowhere, or nothing is known yet. @param {Scene|null} scene @param {number} x @param {number} y scene px */
  text(scene, x, y) {
    if (!scene?.anchor) return null;
    const known = this.#of(scene);
    if (!known || Math.hypot(x - known.x, y - known.y) > NEAR) this.#ask(scene, x, y, known ? REST_MS : 0);
    return known ? placeText(carried(known, x, y), known.step[0]) : null;
  }

  /** Scene px of a place in map units; null while nothing is known. @param {Scene} scene @param {number} east @param {number} north */
  toScene(scene, east, north) {
    const known = this.#of(scene);
    return known && { x: known.x + (east - known.east) / known.step[0], y: known.y + (north - known.north) / known.step[1] };
  }

  /** East and north of a place, null where they are not known. @param {Scene|null} scene @param {number} x @param {number} y */
  toMap(scene, x, y) {
    const known = scene?.anchor ? this.#of(scene) : null;
    return known && carried(known, x, y);
  }

  #key(scene) {
    return JSON.stringify([scene.id, scene.anchor, scene.resolution]);
  }

  #of(scene) {
    return this.#known?.of === this.#key(scene) ? this.#known : null;
  }

  #ask(scene, x, y, after) {
    clearTimeout(this.#timer);
    if (this.#asking) return; // its answer has the place drawn again, and asks again if need be
    this.#timer = setTimeout(async () => {
      this.#asking = true;
      const found = await this.#api.get(`/scenes/${scene.id}/place?x=${x}&y=${y}`).catch(() => null);
      this.#asking = false;
      if (!found) return;
      this.#known = { ...found, x, y, of: this.#key(scene) };
      this.#redraw();
    }, after);
  }
}
