/** When the stream of a page that nobody sees may rest. */

/** Long enough for a press of a button to become a job that is known of. */
const AFTER_MS = 30_000;

/**
 * A browser allows six connections to a server, and every open page holds one for its events: a seventh tab would wait
 * for ever. So a hidden page lets its stream rest, unless it waits for something, and takes it up when it is seen again.
 */
export class StreamRest {
  #timer = 0;
  #check = () => this.#look();

  /**
   * @param {{rest: () => void, wake: () => void}} stream
   * @param {() => boolean} busy whether the page waits for anything, a download that begins by itself for one
   * @param {Document} document
   */
  constructor(stream, busy, document = globalThis.document) {
    this.stream = stream;
    this.busy = busy;
    this.document = document;
    document.addEventListener("visibilitychange", this.#check);
    this.#look();
  }

  #look() {
    clearTimeout(this.#timer);
    if (!this.document.hidden) return this.stream.wake();
    this.#timer = setTimeout(() => (this.busy() ? this.#look() : this.stream.rest()), AFTER_MS);
  }

  close() {
    clearTimeout(this.#timer);
    this.document.removeEventListener("visibilitychange", this.#check);
  }
}
