/**
 * Fetches the tiles the last drawing asked for, the middle of the window first, a few at a time (browsers allow six
 * connections per origin, and the event stream holds one). What is no longer wanted is aborted.
 * @typedef {{key: string, layer: string, z: number, x: number, y: number, revision: number|string, look?: string, table?: Uint8ClampedArray|null,
 *   distance: number}} Wish   look, table: the colours it gets, see `layers/looks.mjs`
 */

const PARALLEL = 4;
const MAX_FAILURES = 3;

/** Whether two are about the same picture. @param {Wish|undefined} one @param {Wish} other */
function isSame(one, other) {
  return one?.revision === other.revision && one?.look === other.look;
}

export class TileLoader {
  /** @type {Wish[]} */
  #wishes = [];
  /** @type {Map<string, {wish: Wish, abort: AbortController}>} */
  #running = new Map();
  /** @type {Map<string, number>} failures by key and revision */
  #failures = new Map();
  #fetch;
  #cache;
  #loaded;

  /**
   * @param {(wish: Wish, signal: AbortSignal) => Promise<ImageBitmap>} fetchTile
   * @param {import("./tile-cache.mjs").TileCache} cache @param {() => void} loaded called after each tile
   */
  constructor(fetchTile, cache, loaded) {
    this.#fetch = fetchTile;
    this.#cache = cache;
    this.#loaded = loaded;
  }

  /** Nothing wanted, nothing under way. */
  get idle() {
    return this.#wishes.length === 0 && this.#running.size === 0;
  }

  /** Replace the list of wanted tiles. @param {Wish[]} wishes */
  want(wishes) {
    const wanted = new Map(wishes.map((wish) => [wish.key, wish]));
    for (const [key, job] of this.#running) {
      if (!isSame(wanted.get(key), job.wish)) job.abort.abort();
    }
    this.#wishes = wishes
      .filter((wish) => (this.#failures.get(`${wish.key}@${wish.revision}`) ?? 0) < MAX_FAILURES)
      .filter((wish) => !isSame(this.#running.get(wish.key)?.wish, wish))
      .sort((a, b) => a.distance - b.distance);
    this.#next();
  }

  #next() {
    while (this.#running.size < PARALLEL && this.#wishes.length) {
      const wish = this.#wishes.shift();
      if (!this.#running.has(wish.key)) this.#run(wish);
    }
  }

  /** @param {Wish} wish */
  async #run(wish) {
    const abort = new AbortController();
    this.#running.set(wish.key, { wish, abort });
    try {
      const bitmap = await this.#fetch(wish, abort.signal);
      if (abort.signal.aborted) bitmap.close();
      else {
        // A tile that replaces another stands at once: were it to fade in, the ground would show through it for a moment.
        const born = this.#cache.peek(wish.key)?.born ?? performance.now();
        this.#cache.set(wish.key, { bitmap, revision: wish.revision, look: wish.look, born });
      }
    } catch {
      if (!abort.signal.aborted) {
        const name = `${wish.key}@${wish.revision}`;
        this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1);
      }
    }
    this.#running.delete(wish.key);
    this.#loaded();
    this.#next();
  }

  /** What failed may be asked for again: the server was away. */
  forgive() {
    this.#failures.clear();
  }

  /** Stop everything. */
  clear() {
    this.#wishes = [];
    this.#failures.clear();
    for (const job of this.#running.values()) job.abort.abort();
  }
}
