/**
 * The tiles of all layers of an open scene: what exists of each, and one loader and one cache for all of them, so that
 * connections and bitmaps stay bounded however many layers show. A tile gets its colours when it arrives, once.
 * @typedef {import("./layers.mjs").Layer} Layer
 * @typedef {import("./layers.mjs").Shown} Shown
 * @typedef {Pick<TileIndex, "ensure"|"isFresh"|"isCurrent"> & {revision: (z: number, x: number, y: number) => number|string|undefined}} Existing
 */
import { counted, falseColour, recolour } from "./display.mjs";
import { FALSE_COLOUR, NAMES } from "./layers.mjs";
import { Coverage, readCells } from "../tiles/coverage.mjs";
import { TILE } from "../geometry/rect.mjs";
import { TileCache } from "../tiles/tile-cache.mjs";
import { TileIndex } from "../tiles/tile-index.mjs";
import { TileLoader } from "../tiles/tile-loader.mjs";

/** More than a 4K window shows of a layer at its densest; 100 MiB. */
const MAX_BITMAPS = 400;

/** False colour exists where both of its layers do. @param {TileIndex} nir @param {TileIndex} rgb @returns {Existing} */
function joined(nir, rgb) {
  return {
    ensure: async (z, range) => void (await Promise.all([nir.ensure(z, range), rgb.ensure(z, range)])),
    isFresh: (z, range) => nir.isFresh(z, range) && rgb.isFresh(z, range),
    isCurrent: (z, x, y) => nir.isCurrent(z, x, y) && rgb.isCurrent(z, x, y),
    revision: (z, x, y) => {
      const [first, second] = [nir.revision(z, x, y), rgb.revision(z, x, y)];
      return first === undefined || second === undefined ? undefined : `${first}.${second}`;
    },
  };
}

export class LayerTiles {
  cache = new TileCache(MAX_BITMAPS);
  loader;
  /** How often each value is in a tile, of those that were coloured. @type {WeakMap<ImageBitmap, Uint32Array>} */
  counts = new WeakMap();
  /** @type {Map<Layer, TileIndex>} */
  #indexes = new Map();
  /** @type {Map<Layer, Coverage>} */
  #coverages = new Map();
  #joined;
  #tile;
  #brush = new OffscreenCanvas(TILE, TILE).getContext("2d", { willReadFrequently: true });

  /** @param {import("../scene/transport.mjs").Api} api @param {string} scene @param {() => void} changed called when there is more to draw */
  constructor(api, scene, changed) {
    this.#tile = (layer, z, x, y, revision, signal) => api.tile(scene, layer, z, x, y, revision, signal);
    for (const layer of NAMES) {
      const index = new TileIndex((z, x0, y0, x1, y1) => api.index(scene, layer, z, x0, y0, x1, y1), changed);
      const read = async (x, y, revision) => {
        const bitmap = await this.#tile(layer, 0, x, y, revision, undefined);
        const cells = readCells(bitmap);
        bitmap.close();
        return cells;
      };
      this.#indexes.set(layer, index);
      this.#coverages.set(layer, new Coverage(index, read));
    }
    this.#joined = joined(this.#indexes.get("nir"), this.#indexes.get("rgb"));
    this.loader = new TileLoader((wish, signal) => this.#fetch(wish, signal), this.cache, changed);
  }

  /** @param {Shown} name @returns {Existing} */
  index(name) {
    return name === FALSE_COLOUR ? this.#joined : this.#indexes.get(name);
  }

  /** @param {Layer} layer */
  coverage(layer) {
    return this.#coverages.get(layer);
  }

  /** @param {import("../geometry/rect.mjs").Rect[]} rects that have changed, in whichever layer */
  invalidate(rects) {
    for (const index of this.#indexes.values()) index.invalidate(rects);
  }

  invalidateAll() {
    for (const index of this.#indexes.values()) index.invalidateAll();
  }

  close() {
    this.loader.clear();
    this.cache.clear();
  }

  /** @param {import("../tiles/tile-loader.mjs").Wish} wish @param {AbortSignal} signal */
  async #fetch({ layer, z, x, y, revision, table }, signal) {
    if (layer === FALSE_COLOUR) {
      const [nir, rgb] = String(revision).split(".");
      const pixels = await Promise.all([this.#tile("rgb", z, x, y, rgb, signal), this.#tile("nir", z, x, y, nir, signal)].map((one) => one.then((bitmap) => this.#pixels(bitmap))));
      falseColour(pixels[0].data, pixels[1].data);
      return createImageBitmap(pixels[0]);
    }
    const bitmap = await this.#tile(layer, z, x, y, revision, signal);
    if (!table) return bitmap;
    const pixels = this.#pixels(bitmap);
    const counts = counted(pixels.data);
    recolour(pixels.data, table);
    const coloured = await createImageBitmap(pixels);
    this.counts.set(coloured, counts);
    return coloured;
  }

  /** @param {ImageBitmap} bitmap closed afterwards */
  #pixels(bitmap) {
    this.#brush.clearRect(0, 0, TILE, TILE);
    this.#brush.drawImage(bitmap, 0, 0);
    bitmap.close();
    return this.#brush.getImageData(0, 0, TILE, TILE);
  }
}
