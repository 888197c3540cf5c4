/**
 * How a layer of one band is shown: which values become black and white, and which colours they get. It changes only what
 * is drawn; stored pixels stay as they are. Pure.
 * @typedef {"stored"|"view"|"fixed"} Stretch   as stored; from 2 % to 98 % of what is in view; between two numbers
 * @typedef {{stretch: Stretch, low: number, high: number, map: string}} Display   low, high: values 0 to 255 of "fixed"
 * @typedef {{low: number, high: number, map: string, counted?: boolean}} Look   a display whose numbers are known; counted: the
 *   values of its tiles are to be counted, even where they are drawn as they come
 */

/** @type {Display} */
export const AS_STORED = Object.freeze({ stretch: "stored", low: 0, high: 255, map: "grey" });

/** @type {{stretch: Stretch, label: string}[]} */
export const STRETCHES = [
  { stretch: "stored", label: "As stored" },
  { stretch: "view", label: "2 to 98 % of what is in view" },
  { stretch: "fixed", label: "Between two values" },
];

/**
 * Colours at even distances from the darkest value to the brightest.
 * viridis: ten of the colours of Smith and van der Walt's map, even in lightness. vegetation: from water and bare ground to
 * dense leaves, as NDVI maps have it.
 * @type {Record<string, {label: string, stops: [number, number, number][]}>}
 */
export const MAPS = {
  grey: { label: "Grey", stops: [[0, 0, 0], [255, 255, 255]] },
  viridis: {
    label: "Viridis",
    stops: [[68, 1, 84], [72, 40, 120], [62, 73, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]],
  },
  vegetation: {
    label: "Vegetation",
    stops: [[38, 62, 120], [122, 104, 84], [186, 150, 98], [226, 208, 140], [176, 200, 92], [96, 166, 62], [32, 122, 44], [0, 68, 27]],
  },
};

/** What was kept of a display, with whatever makes no sense in it as stored. @param {any} kept @returns {Display} */
export function displayed(kept) {
  const { stretch, low, high, map } = kept ?? {};
  const numbers = [low, high].every((value) => Number.isInteger(value) && value >= 0 && value <= 255) && low < high;
  return {
    stretch: STRETCHES.some((each) => each.stretch === stretch) ? stretch : AS_STORED.stretch,
    low: numbers ? low : AS_STORED.low,
    high: numbers ? high : AS_STORED.high,
    map: Object.hasOwn(MAPS, String(map)) ? map : AS_STORED.map,
  };
}

/**
 * Percentiles of values that are counted. @param {ArrayLike<number>} counts 256 of them @param {number} part of all that lie below, and above
 * @returns {{low: number, high: number}} the whole range where nothing, or one value alone, was counted
 */
export function percentiles(counts, part = 0.02) {
  let all = 0;
  for (let value = 0; value < 256; value++) all += counts[value];
  let [low, high, below] = [0, 255, 0];
  for (let value = 0; value < 256; value++) {
    if (below <= part * all) low = value;
    if (below < (1 - part) * all) high = value;
    below += counts[value];
  }
  return all && low < high ? { low, high } : { low: 0, high: 255 };
}

/** What a tile was made with, "" as it came. @param {Look} look */
export function lookName({ low, high, map, counted }) {
  return low === 0 && high === 255 && map === "grey" && !counted ? "" : `${low}-${high} ${map}`;
}

/** @param {Look} look low below high @returns {Uint8ClampedArray} red, green, blue for each of the 256 values */
export function lookup({ low, high, map }) {
  const { stops } = MAPS[map];
  const table = new Uint8ClampedArray(256 * 3);
  for (let value = 0; value < 256; value++) {
    const at = Math.min(1, Math.max(0, (value - low) / (high - low))) * (stops.length - 1);
    const first = Math.min(stops.length - 2, Math.floor(at));
    for (let n = 0; n < 3; n++) table[value * 3 + n] = stops[first][n] + (stops[first + 1][n] - stops[first][n]) * (at - first);
  }
  return table;
}

/** Count the values of known pixels. @param {Uint8ClampedArray} pixels red, green, blue, alpha @returns {Uint32Array} 256 */
export function counted(pixels) {
  const counts = new Uint32Array(256);
  for (let n = 0; n < pixels.length; n += 4) if (pixels[n + 3]) counts[pixels[n]] += 1;
  return counts;
}

/** Give the pixels of one band their colours, in place. @param {Uint8ClampedArray} pixels red, green, blue, alpha @param {Uint8ClampedArray} table */
export function recolour(pixels, table) {
  for (let n = 0; n < pixels.length; n += 4) {
    const at = pixels[n] * 3;
    pixels[n] = table[at];
    pixels[n + 1] = table[at + 1];
    pixels[n + 2] = table[at + 2];
  }
}

/** Near infrared, red, green as red, green, blue, where both are known; into the first. @param {Uint8ClampedArray} rgb @param {Uint8ClampedArray} nir */
export function falseColour(rgb, nir) {
  for (let n = 0; n < rgb.length; n += 4) {
    rgb[n + 2] = rgb[n + 1];
    rgb[n + 1] = rgb[n];
    rgb[n] = nir[n];
    rgb[n + 3] = Math.min(rgb[n + 3], nir[n + 3]);
  }
}
