/**
 * The mask as pixels: alpha in chunks of one scene pixel per pixel, made where something is painted. Every change says
 * which part of the scene it touched, so that only that is drawn again.
 * @typedef {import("../geometry/rect.mjs").Rect} Rect
 * @typedef {{x: number, y: number, size: number}} Dab a place of the brush and its diameter there, in scene pixels
 */
import { intersect, union } from "../geometry/rect.mjs";

/** Side of a chunk in pixels. */
export const CHUNK = 256;
/** Dabs of a soft brush per diameter: closer than the eye sees. */
const DABS = 8;

export class MaskRaster {
  /** @type {Map<string, {rect: Rect, canvas: OffscreenCanvas, context: OffscreenCanvasRenderingContext2D}>} */
  #chunks = new Map();
  #colour;
  #stamp = { hardness: -1, canvas: null };
  #touch;

  /** @param {string} colour of the mask on the map @param {(key: string) => void} touch called before a chunk changes */
  constructor(colour, touch = () => {}) {
    this.#colour = colour;
    this.#touch = touch;
  }

  get empty() {
    return this.#chunks.size === 0;
  }

  /** One piece of a stroke. @param {Dab} a @param {Dab} b @returns {Rect} what changed */
  segment(a, b, hardness, erase) {
    const half = Math.max(a.size, b.size) / 2 + 1;
    const area = {
      x: Math.min(a.x, b.x) - half,
      y: Math.min(a.y, b.y) - half,
      w: Math.abs(a.x - b.x) + 2 * half,
      h: Math.abs(a.y - b.y) + 2 * half,
    };
    this.#paint(area, erase, (context) => (hardness >= 1 ? this.#line(context, a, b) : this.#dabs(context, a, b, hardness)));
    return area;
  }

  /** Where the pressure changes, in pieces of one width each. */
  #line(context, a, b) {
    const pieces = Math.max(1, Math.ceil(Math.abs(b.size - a.size) / 2));
    const along = (t) => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t, size: a.size + (b.size - a.size) * t });
    context.lineCap = "round";
    context.strokeStyle = this.#colour;
    for (let n = 0; n < pieces; n++) {
      const from = along(n / pieces);
      const to = along((n + 1) / pieces);
      context.lineWidth = to.size;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y + (from.x === to.x && from.y === to.y ? 0.01 : 0)); // a line of no length is not drawn everywhere
      context.stroke();
    }
  }

  #dabs(context, a, b, hardness) {
    const stamp = this.#stampOf(hardness);
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    const count = Math.max(1, Math.ceil((length * DABS) / Math.max(1, Math.min(a.size, b.size))));
    for (let n = 1; n <= count; n++) {
      const t = n / count;
      const size = a.size + (b.size - a.size) * t;
      context.drawImage(stamp, a.x + (b.x - a.x) * t - size / 2, a.y + (b.y - a.y) * t - size / 2, size, size);
    }
  }

  /** A round spot that is full up to `hardness` of its radius and fades to nothing at its rim. */
  #stampOf(hardness) {
    if (this.#stamp.hardness !== hardness) {
      const canvas = new OffscreenCanvas(128, 128);
      const context = canvas.getContext("2d");
      const fade = context.createRadialGradient(64, 64, 64 * hardness, 64, 64, 64);
      fade.addColorStop(0, this.#colour);
      fade.addColorStop(1, "transparent");
      context.globalAlpha = 0.5; // dabs overlap: together they are full
      context.fillStyle = fade;
      context.fillRect(0, 0, 128, 128);
      this.#stamp = { hardness, canvas };
    }
    return this.#stamp.canvas;
  }

  /** @param {number[]} points x, y, x, y ... @returns {Rect} what changed */
  polygon(points, erase) {
    const xs = points.filter((_, n) => n % 2 === 0);
    const ys = points.filter((_, n) => n % 2 === 1);
    const [x, y] = [Math.min(...xs) - 1, Math.min(...ys) - 1];
    const area = { x, y, w: Math.max(...xs) + 1 - x, h: Math.max(...ys) + 1 - y };
    this.#paint(area, erase, (context) => {
      context.fillStyle = this.#colour;
      context.beginPath();
      for (let n = 0; n < xs.length; n++) context.lineTo(xs[n], ys[n]);
      context.fill("nonzero");
    });
    return area;
  }

  #paint(area, erase, draw) {
    for (let y = Math.floor(area.y / CHUNK); y < (area.y + area.h) / CHUNK; y++) {
      for (let x = Math.floor(area.x / CHUNK); x < (area.x + area.w) / CHUNK; x++) {
        const key = `${x},${y}`;
        if (erase && !this.#chunks.has(key)) continue;
        this.#touch(key);
        const { context } = this.#chunk(key);
        context.setTransform(1, 0, 0, 1, -x * CHUNK, -y * CHUNK);
        context.globalCompositeOperation = erase ? "destination-out" : "source-over";
        draw(context);
      }
    }
  }

  #chunk(key) {
    let chunk = this.#chunks.get(key);
    if (!chunk) {
      const [x, y] = key.split(",").map(Number);
      const canvas = new OffscreenCanvas(CHUNK, CHUNK);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      chunk = { rect: { x: x * CHUNK, y: y * CHUNK, w: CHUNK, h: CHUNK }, canvas, context };
      this.#chunks.set(key, chunk);
    }
    return chunk;
  }

  /** A copy of a chunk's pixels, null where there is none. @param {string} key */
  copy(key) {
    const chunk = this.#chunks.get(key);
    return chunk ? chunk.context.getImageData(0, 0, CHUNK, CHUNK) : null;
  }

  /** @param {string} key @param {ImageData|null} pixels as `copy` gave them @returns {Rect} what changed */
  put(key, pixels) {
    const { rect, context } = this.#chunk(key);
    if (pixels) context.putImageData(pixels, 0, 0);
    else this.#chunks.delete(key);
    return rect;
  }

  /** Every chunk is about to go. @returns {Rect|null} what was there */
  clear() {
    let area = null;
    for (const [key, chunk] of [...this.#chunks]) {
      this.#touch(key);
      area = union(area, chunk.rect);
      this.#chunks.delete(key);
    }
    return area;
  }

  /** The smallest rectangle around what is painted, null where nothing is. @returns {Rect|null} */
  bounds() {
    let found = null;
    for (const { rect, context } of this.#chunks.values()) {
      const { data } = context.getImageData(0, 0, CHUNK, CHUNK);
      let [left, top, right, bottom] = [CHUNK, CHUNK, -1, -1];
      for (let n = 3; n < data.length; n += 4) {
        if (!data[n]) continue;
        const at = n >> 2;
        const x = at % CHUNK;
        const y = (at / CHUNK) | 0;
        if (x < left) left = x;
        if (x > right) right = x;
        if (y < top) top = y;
        bottom = y;
      }
      if (right >= 0) found = union(found, { x: rect.x + left, y: rect.y + top, w: right - left + 1, h: bottom - top + 1 });
    }
    return found;
  }

  /** @param {Rect} area whole pixels @returns {Uint8ClampedArray} its alpha, row by row */
  read(area) {
    const pixels = this.#assembled(area).getContext("2d").getImageData(0, 0, area.w, area.h).data;
    const alpha = new Uint8ClampedArray(area.w * area.h);
    for (let n = 0; n < alpha.length; n++) alpha[n] = pixels[4 * n + 3];
    return alpha;
  }

  /** Put alpha in the place of what is there. @param {Rect} area @param {Uint8ClampedArray} alpha @returns {Rect} */
  write(area, alpha) {
    const image = new ImageData(area.w, area.h);
    const [red, green, blue] = this.#rgb();
    for (let n = 0; n < alpha.length; n++) {
      image.data[4 * n] = red;
      image.data[4 * n + 1] = green;
      image.data[4 * n + 2] = blue;
      image.data[4 * n + 3] = alpha[n];
    }
    const canvas = new OffscreenCanvas(area.w, area.h);
    canvas.getContext("2d").putImageData(image, 0, 0);
    this.#paint(area, false, (context) => {
      context.clearRect(area.x, area.y, area.w, area.h);
      context.drawImage(canvas, area.x, area.y);
    });
    return area;
  }

  #rgb() {
    const probe = new OffscreenCanvas(1, 1).getContext("2d");
    probe.fillStyle = this.#colour;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }

  #assembled(area) {
    const canvas = new OffscreenCanvas(area.w, area.h);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    for (const chunk of this.#chunks.values()) {
      if (intersect(chunk.rect, area)) context.drawImage(chunk.canvas, chunk.rect.x - area.x, chunk.rect.y - area.y);
    }
    return canvas;
  }

  /** White on black, as the server reads it. @param {Rect} area @returns {Promise<Blob>} a PNG */
  png(area) {
    const white = this.#assembled(area);
    const context = white.getContext("2d");
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, area.w, area.h);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, area.w, area.h);
    return white.convertToBlob({ type: "image/png" });
  }

  /** @param {CanvasRenderingContext2D} context in window pixels @param {import("../geometry/view.mjs").View} view @param {Rect} seen part of the scene */
  draw(context, view, seen) {
    context.globalAlpha = 0.5;
    for (const { rect, canvas } of this.#chunks.values()) {
      if (!intersect(rect, seen)) continue;
      const r = view.rectToScreen(rect);
      context.drawImage(canvas, r.x, r.y, r.w, r.h);
    }
    context.globalAlpha = 1;
  }
}
