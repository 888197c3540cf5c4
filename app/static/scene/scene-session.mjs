/**
 * One open scene: its event stream, the tiles of its layers and previews. Opening another scene makes a new session;
 * `close` ends the stream and frees every bitmap.
 */
import { fromCorners, fromXYWH } from "../geometry/rect.mjs";
import { dismissed } from "./remembered.mjs";
import { layerOf } from "../layers/layers.mjs";
import { LayerTiles } from "../layers/layer-tiles.mjs";
import { Pace, isEdit, isOpen, jobFrame, usualPace, waits } from "./store.mjs";
import { StreamRest } from "./stream-rest.mjs";
import { EventStream } from "./transport.mjs";

/** @param {string} url a data: URL @returns {Promise<ImageBitmap>} */
function decodePreview(url) {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
}

export class SceneSession {
  tiles;
  #api;
  #closed = false;
  #stream;
  #rest;
  #pace = new Pace();
  #clock = new Map();

  /** @param {import("./transport.mjs").Api} api @param {string} id @param {import("../scene-canvas.mjs").Page} page */
  constructor(api, id, page) {
    this.id = id;
    this.page = page;
    this.#api = api;
    this.tiles = new LayerTiles(api, id, () => page.drawing.mark("map"));
  }

  /** Of the layer that is worked in. */
  get coverage() {
    return this.tiles.coverage(this.page.layers.active);
  }

  /** Begin to listen; `apply` is called with each event. */
  listen() {
    this.#stream = new EventStream(`api/scenes/${this.id}/events`, {
      event: (name, data) => this.#event(name, data),
      connected: (up) => this.page.apply("connected", up),
      refused: () => this.#refused(),
    });
    this.#rest = new StreamRest(this.#stream, () => waits(this.page.state));
  }

  /** The stream was refused: the scene may be gone, and then there is nothing to wait for. */
  async #refused() {
    const error = await this.#api.get(`/scenes/${this.id}`).then(() => null, (reason) => reason);
    if (error?.status !== 404 || this.#closed) return;
    this.#hangUp();
    this.page.apply("deleted", {});
  }

  #event(name, data) {
    if (name === "hello") {
      this.tiles.invalidateAll();
      this.tiles.loader.forgive();
      const open = new Set(data.jobs.filter(isOpen).map((job) => job.id));
      for (const job of this.page.map.previews.keys()) if (!open.has(job)) this.page.map.settlePreview(job);
      const unwanted = dismissed(localStorage);
      data.jobs = data.jobs.filter((job) => isOpen(job) || !unwanted.has(job.id));
    }
    if (name === "deleted") this.#hangUp();
    if (name === "scene" && data.changed) this.tiles.invalidate(data.changed.map(fromCorners));
    if (name === "preview") {
      data.eta = this.#pace.eta(data, performance.now() / 1000, usualPace(this.page.state, data.job));
      if (data.image) void this.#preview(data);
    }
    if (name === "job" && data.state !== "running") {
      this.#pace.forget(data.id);
      this.#clock.delete(data.id);
      if (data.state === "done" && data.kind !== "edit") this.page.map.settlePreview(data.id);
      else this.page.map.dropPreview(data.id);
    }
    this.page.apply(name, data);
  }

  async #preview({ job, frame, step, image }) {
    this.#clock.set(job, step);
    const bitmap = await decodePreview(image);
    // Decoding takes a moment: the job may be over, or a later step may have come first.
    const whole = jobFrame(this.page.state, job);
    // Where a candidate is looked at already, the next one is made out of sight.
    if (!this.#closed && whole && this.#clock.get(job) === step && !this.page.staging.shows(job)) {
      const { request } = this.page.state.jobs.find((one) => one.id === job);
      this.page.map.addPreview(job, whole, fromXYWH(frame), bitmap, { over: isEdit(this.page.state, job), layer: layerOf(request) });
      this.page.drawing.mark("map");
    }
    bitmap.close();
  }

  #hangUp() {
    this.#rest?.close();
    this.#stream?.close();
  }

  close() {
    this.#closed = true;
    this.#hangUp();
    this.tiles.close();
  }
}
