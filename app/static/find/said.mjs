/** What is said about a search. Pure. */

/** @param {import("./finder.mjs").Answer} answer @returns {string} */
export function said({ hits, tiles, pending }) {
  if (pending) return `Looked at ${tiles - pending} of ${tiles} places …`;
  if (!hits.length) return "Nothing here is large enough to be looked at.";
  return `${hits.length === 1 ? "The best place" : `The best ${hits.length}`} of ${tiles}, with how well they fit.`;
}
