/**
 * Least-recently-used cache of decoded tiles. ImageBitmaps live outside the JavaScript heap and are not
 * freed by garbage collection in time, so the cache owns them: it bounds their number and closes each one.
 * @typedef {{bitmap: ImageBitmap, revision: number|string, look?: string, born: number}} Tile
 */

export class TileCache {
  /** @type {Map<string, Tile>} oldest use first */
  #tiles = new Map();
  #limit;
  #least;

  /** @param {number} least most bitmaps kept, unless one full window shows more */
  constructor(least) {
    this.#least = least;
    this.#limit = least;
  }

  /** One full window shows so many: fewer would be dropped and fetched again with each drawing. @param {number} shown */
  hold(shown) {
    this.#limit = Math.max(this.#least, shown);
  }

  get size() {
    return this.#tiles.size;
  }

  /** @param {string} key @returns {Tile|undefined} the tile, now the most recently used */
  get(key) {
    const tile = this.#tiles.get(key);
    if (tile) {
      this.#tiles.delete(key);
      this.#tiles.set(key, tile);
    }
    return tile;
  }

  /** Look without counting as a use. @param {string} key */
  peek(key) {
    return this.#tiles.get(key);
  }

  /** Takes ownership of the bitmap. @param {string} key @param {Tile} tile */
  set(key, tile) {
    this.delete(key);
    this.#tiles.set(key, tile);
    for (const oldest of this.#tiles.keys()) {
      if (this.#tiles.size <= this.#limit) break;
      this.delete(oldest);
    }
  }

  /** @param {string} key */
  delete(key) {
    this.#tiles.get(key)?.bitmap.close();
    this.#tiles.delete(key);
  }

  clear() {
    for (const key of [...this.#tiles.keys()]) this.delete(key);
  }
}
