/**
 * Draws the map: background, then layer by layer from below previews of running jobs and tiles. Previews lie below the tiles
 * of their layer: a preview shows only where nothing exists yet, and the finished tiles fade in over it. Those of edits lie
 * over the tiles they change.
 * @typedef {{background: string, grid: string}} Colours
 * @typedef {import("../layers/scene-layers.mjs").Drawn} Layer
 */
import { CELL, TILE, intersect, tileRange } from "../geometry/rect.mjs";

/** Pixels along a side of a preview's picture, however large its frame is: it shows what a window can show. */
export const MAX_PREVIEW = 1024;

/** Coarsest pyramid level asked for. */
export const DEEPEST = 9;
const FADE_MS = 80;
const ANCESTORS = 5;

export class MapLayer {
  /**
   * By job: a picture of its whole frame at 1/8 size or smaller, in which the windows painted so far stay.
   * @type {Map<string, {frame: import("../geometry/rect.mjs").Rect, picture: OffscreenCanvas, settled: boolean, over: boolean, layer: import("../layers/layers.mjs").Layer}>}
   */
  previews = new Map();
  /** @type {Colours} */
  colours = { background: "#fff", grid: "#ddd" };
  fade = true;
  /** Whether the last drawing showed every tile of the window in its newest revision. */
  complete = false;
  /** Of the one canvas: what lies over the map is drawn into it afterwards. */
  context;
  #view;
  /** @type {import("../layers/layer-tiles.mjs").LayerTiles} */
  #tiles;

  /** @param {CanvasRenderingContext2D} context @param {import("../geometry/view.mjs").View} view @param {import("../layers/looks.mjs").Looks["seen"]} seen is told of layers whose values in view count */
  constructor(context, view, seen) {
    this.context = context;
    this.#view = view;
    this.seen = seen;
  }

  /** Draw another scene from now on. @param {import("../scene/scene-session.mjs").SceneSession} session */
  attach({ tiles }) {
    this.#tiles = tiles;
    this.complete = false;
  }

  /**
   * @param {number} dpr @param {number} now milliseconds @param {Layer[]|null} layers from below; null where there is no scene to ask tiles of
   * @returns {boolean} whether a fade is under way
   */
  draw(dpr, now, layers) {
    const context = this.context;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.globalAlpha = 1;
    this.#drawGround();
    if (!layers) return false;
    const wishes = [];
    const drawn = layers.map((layer) => this.#drawLayer(layer, dpr, now, wishes));
    this.#tiles.cache.hold(drawn.reduce((sum, { shown }) => sum + shown, 0));
    this.#tiles.loader.want(wishes);
    this.complete = drawn.every(({ complete }) => complete);
    return drawn.some(({ fading }) => fading);
  }

  /** @param {Layer} layer */
  #drawLayer(layer, dpr, now, wishes) {
    const { context } = this;
    const { width, height } = this.#view;
    context.save();
    if (layer.from > 0 || layer.to < 1) {
      const [left, right] = [Math.round(layer.from * width), Math.round(layer.to * width)];
      context.beginPath();
      context.rect(left, 0, right - left, height);
      context.clip();
    }
    context.globalAlpha = layer.opacity;
    context.imageSmoothingEnabled = true;
    this.#drawPreviews(layer.name, false);
    // Close up, pixels are shown as they are: people of this field count them.
    context.imageSmoothingEnabled = this.#view.scale * dpr < 3;
    const drawn = this.#drawTiles(layer, dpr, now, wishes);
    context.imageSmoothingEnabled = true;
    this.#drawPreviews(layer.name, true);
    context.restore();
    return drawn;
  }

  #drawPreviews(layer, over) {
    for (const preview of this.previews.values()) {
      if (preview.over !== over || preview.layer !== layer) continue;
      const r = this.#view.rectToScreen(preview.frame);
      this.context.drawImage(preview.picture, r.x, r.y, r.w, r.h);
    }
  }

  #drawGround() {
    const { width, height, scale } = this.#view;
    const context = this.context;
    context.fillStyle = this.colours.background;
    context.fillRect(0, 0, width, height);
    // A dot wherever tile corners meet, thinned or refined by powers of two to 48 to 96 px apart.
    const step = TILE * scale * 2 ** -Math.floor(Math.log2((TILE * scale) / 48));
    const origin = this.#view.toScreen(0, 0);
    context.fillStyle = this.colours.grid;
    for (let y = origin.y - Math.floor(origin.y / step) * step; y < height; y += step) {
      for (let x = origin.x - Math.floor(origin.x / step) * step; x < width; x += step) {
        context.fillRect(Math.round(x) - 1, Math.round(y) - 1, 2, 2);
      }
    }
  }

  /** @param {Layer} layer @param {number} dpr @param {number} now @param {import("../tiles/tile-loader.mjs").Wish[]} wishes gets what is missing */
  #drawTiles(layer, dpr, now, wishes) {
    const z = this.#view.level(dpr, DEEPEST);
    const range = tileRange(this.#view.visible(), z);
    const index = this.#tiles.index(layer.name);
    void index.ensure(z, range);
    const fresh = index.isFresh(z, range);
    const middle = { x: (range.x0 + range.x1 - 1) / 2, y: (range.y0 + range.y1 - 1) / 2 };
    const { name: look, table } = layer.look;
    const before = wishes.length;
    const shown = [];
    let fading = false;
    for (let y = range.y0; y < range.y1; y++) {
      for (let x = range.x0; x < range.x1; x++) {
        const revision = index.revision(z, x, y);
        if (revision === undefined && fresh) continue;
        const key = `${layer.name}/${z}/${x}/${y}`;
        const tile = this.#tiles.cache.get(key);
        if (revision !== undefined && (tile?.revision !== revision || tile.look !== look) && index.isCurrent(z, x, y)) {
          wishes.push({ key, layer: layer.name, z, x, y, revision, look, table, distance: Math.hypot(x - middle.x, y - middle.y) });
        }
        const alpha = !tile ? 0 : this.fade ? Math.min(1, (now - tile.born) / FADE_MS) : 1;
        const place = this.#view.rectToScreen(this.#area(z, x, y));
        if (alpha < 1) this.#drawStandIn(layer.name, z, x, y, place);
        shown.push(key);
        if (!tile) continue;
        if (alpha < 1) fading = true;
        this.context.globalAlpha = alpha * layer.opacity;
        this.context.drawImage(tile.bitmap, place.x, place.y, place.w, place.h);
        this.context.globalAlpha = layer.opacity;
      }
    }
    const here = fresh && wishes.length === before;
    if (here && layer.counted) this.seen(layer.name, () => this.#counts(shown));
    return { fading, complete: here && !fading, shown: shown.length };
  }

  /** How often each value is in the tiles, of those that are still here. @param {string[]} keys */
  #counts(keys) {
    return keys.flatMap((key) => this.#tiles.counts.get(this.#tiles.cache.peek(key)?.bitmap) ?? []);
  }

  /** While a tile is on its way: its part of a coarser tile, or its finer ones, if either is here. */
  #drawStandIn(name, z, x, y, place) {
    const { cache } = this.#tiles;
    for (let up = 1; up <= ANCESTORS && z + up <= DEEPEST; up++) {
      const n = 2 ** up;
      const tile = cache.peek(`${name}/${z + up}/${Math.floor(x / n)}/${Math.floor(y / n)}`);
      if (!tile) continue;
      const side = TILE / n;
      const left = (x - Math.floor(x / n) * n) * side;
      const top = (y - Math.floor(y / n) * n) * side;
      this.context.drawImage(tile.bitmap, left, top, side, side, place.x, place.y, place.w, place.h);
      return;
    }
    for (let n = 0; z > 0 && n < 4; n++) {
      const cx = x * 2 + (n & 1);
      const cy = y * 2 + (n >> 1);
      const tile = cache.peek(`${name}/${z - 1}/${cx}/${cy}`);
      if (!tile) continue;
      const r = this.#view.rectToScreen(this.#area(z - 1, cx, cy));
      this.context.drawImage(tile.bitmap, r.x, r.y, r.w, r.h);
    }
  }

  #area(z, x, y) {
    const side = TILE * 2 ** z;
    return { x: x * side, y: y * side, w: side, h: side };
  }

  /**
   * Put the newest picture of a part into the job's preview.
   * @param {string} job @param {import("../geometry/rect.mjs").Rect} frame of the job @param {import("../geometry/rect.mjs").Rect} part
   * @param {ImageBitmap} bitmap of the part
   * @param {{over?: boolean, layer?: import("../layers/layers.mjs").Layer}} [kind] whether it lies over what is there, and in which layer
   */
  addPreview(job, frame, part, bitmap, { over = false, layer = "rgb" } = {}) {
    let preview = this.previews.get(job);
    const pixel = Math.max(CELL, Math.max(frame.w, frame.h) / MAX_PREVIEW);
    if (!preview) {
      const picture = new OffscreenCanvas(Math.ceil(frame.w / pixel), Math.ceil(frame.h / pixel));
      preview = { frame, picture, settled: false, over, layer };
      this.previews.set(job, preview);
    }
    /** @type {[number, number, number, number]} */
    const place = [(part.x - frame.x) / pixel, (part.y - frame.y) / pixel, part.w / pixel, part.h / pixel];
    preview.picture.getContext("2d").drawImage(bitmap, ...place);
  }

  /** @param {string} job */
  dropPreview(job) {
    this.previews.delete(job);
  }

  /** A finished job's preview stays until its tiles are drawn. @param {string} job */
  settlePreview(job) {
    const preview = this.previews.get(job);
    if (preview) preview.settled = true;
  }

  /**
   * Drop the previews of finished jobs once their tiles are drawn, or when they are out of sight.
   * @returns {boolean} whether the map is to be drawn again: a job undone at once has no tiles over its preview
   */
  dropSettled() {
    const visible = this.#view.visible();
    const before = this.previews.size;
    for (const [job, preview] of [...this.previews]) {
      if (preview.settled && (this.complete || !intersect(preview.frame, visible))) this.dropPreview(job);
    }
    return this.previews.size < before;
  }

  clear() {
    this.previews.clear();
  }
}
