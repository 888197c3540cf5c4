/**
 * The HTTP API and the event stream. Errors become one sentence: what the server said, or that it cannot be reached.
 */

export class ApiError extends Error {
  /** @param {string} sentence @param {number} status HTTP status, 0 when no answer came */
  constructor(sentence, status) {
    super(sentence);
    this.name = "ApiError";
    this.status = status;
  }
}

const UNREACHABLE = "The server does not answer. Check that it is still running, then try again; nothing was lost.";

export class Api {
  #fetch;

  /** @param {typeof fetch} fetcher */
  constructor(fetcher = (...args) => fetch(...args)) {
    this.#fetch = fetcher;
  }

  /** @param {string} method @param {string} path below /api @param {unknown} [body] JSON, or a form or a Blob sent as it is */
  async call(method, path, body) {
    const options = { method };
    if (typeof Blob !== "undefined" && body instanceof Blob) {
      options.body = body;
      options.headers = { "Content-Type": "application/octet-stream" };
    } else if (typeof FormData !== "undefined" && body instanceof FormData) {
      options.body = body;
    } else if (body !== undefined) {
      options.body = JSON.stringify(body);
      options.headers = { "Content-Type": "application/json" };
    }
    let response;
    try {
      response = await this.#fetch(`api${path}`, options);
    } catch {
      throw new ApiError(UNREACHABLE, 0);
    }
    const text = await response.text();
    let data = null;
    try {
      data = text ? JSON.parse(text) : null;
    } catch {
      data = null;
    }
    if (!response.ok) {
      throw new ApiError(data?.error ?? `The server answered with an error (${response.status}). Try again.`, response.status);
    }
    return data;
  }

  /** @param {string} path */
  get(path) {
    return this.call("GET", path);
  }

  /** @param {string} path @param {unknown} [body] */
  post(path, body) {
    return this.call("POST", path, body);
  }

  /** One tile, decoded. @param {AbortSignal} signal @returns {Promise<ImageBitmap>} */
  async tile(scene, layer, z, x, y, revision, signal) {
    const response = await this.#fetch(`api/scenes/${scene}/tiles/${layer}/${z}/${x}/${y}.webp?v=${revision}`, { signal });
    if (response.status !== 200) throw new ApiError(`Tile ${z}/${x}/${y} is missing.`, response.status);
    return createImageBitmap(await response.blob());
  }

  /** A picture, decoded. @param {string} path below /api @returns {Promise<ImageBitmap>} */
  async picture(path) {
    const response = await this.#fetch(`api${path}`);
    if (!response.ok) throw new ApiError("The picture is not there any more.", response.status);
    return createImageBitmap(await response.blob());
  }

  /** @returns {Promise<[number, number, number][]>} x, y, revision of the tiles of a layer in a range */
  async index(scene, layer, z, x0, y0, x1, y1) {
    const answer = await this.get(`/scenes/${scene}/index?layer=${layer}&z=${z}&x0=${x0}&y0=${y0}&x1=${x1}&y1=${y1}`);
    return answer.tiles;
  }
}

export const EVENT_NAMES = ["hello", "scene", "job", "preview", "candidates", "model", "deleted"];

/**
 * The one stream of a page. The browser's EventSource reconnects and sends Last-Event-ID by itself, except after a
 * refusal (server restarting behind a proxy, scene gone): then we open a new one, less and less often.
 */
export class EventStream {
  #url;
  #handlers;
  #make;
  #source = null;
  #timer = 0;
  #delay = 500;
  #resting = false;

  /**
   * @param {string} url
   * @param {{event: (name: string, data: any) => void, connected: (up: boolean) => void, refused: () => void}} handlers
   * @param {(url: string) => EventSource} make
   */
  constructor(url, handlers, make = (url) => new EventSource(url)) {
    this.#url = url;
    this.#handlers = handlers;
    this.#make = make;
    this.#open();
  }

  #open() {
    const source = this.#make(this.#url);
    this.#source = source;
    for (const name of EVENT_NAMES) {
      source.addEventListener(name, (event) => {
        if (this.#source === source) this.#handlers.event(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => {
      this.#delay = 500;
      this.#handlers.connected(true);
    });
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.#handlers.connected(false);
      if (source.readyState !== 2) return; // it reconnects by itself
      this.#timer = setTimeout(() => this.#open(), this.#delay);
      this.#delay = Math.min(8000, this.#delay * 2);
      this.#handlers.refused();
    });
  }

  /** Let go of the connection until `wake`; what happens meanwhile is told by the next "hello". */
  rest() {
    if (!this.#source) return;
    this.#resting = true;
    this.#drop();
  }

  wake() {
    if (!this.#resting) return;
    this.#resting = false;
    this.#open();
  }

  close() {
    this.#resting = false;
    this.#drop();
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#source?.close(); // a refused one too: its late errors must not open another
    this.#source = null;
  }
}
