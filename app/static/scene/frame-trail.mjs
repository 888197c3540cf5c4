/** Where the frame was before each extension, so that it goes back with an extension that is taken back. Pure. */
import { equal } from "../geometry/rect.mjs";

/** @typedef {import("../geometry/rect.mjs").Rect} Rect */

const MOST = 60;

export class FrameTrail {
  /** From where to where, newest last. @type {[Rect, Rect][]} */
  moves = [];

  /** @param {Rect} from @param {Rect} to where the extension lies */
  went(from, to) {
    this.moves = [...this.moves.filter(([, other]) => !equal(other, to)), /** @type {[Rect, Rect]} */ ([from, to])].slice(-MOST);
  }

  /** @param {Rect} made frame of what was taken back @param {Rect} now the frame @returns {Rect|null} where it was; null where it was moved since */
  back(made, now) {
    return equal(made, now) ? this.#move(made)?.[0] ?? null : null;
  }

  /** @param {Rect} made frame of what was made again @param {Rect} now the frame @returns {Rect|null} */
  forth(made, now) {
    const move = this.#move(made);
    return move && equal(move[0], now) ? move[1] : null;
  }

  /** @param {Rect} made */
  #move(made) {
    return this.moves.find(([, to]) => equal(to, made));
  }
}
