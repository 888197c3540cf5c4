import assert from "node:assert/strict";
import { test } from "node:test";
import { said } from "../../app/static/find/said.mjs";

const hit = { bbox: [0, 0, 256, 256], score: 0.5 };
const answer = { hits: [hit], tiles: 9, pending: 0, taken: [], unknown: [] };

test("a search says how far it is, what it found and how it read the words", () => {
  assert.equal(said({ ...answer, pending: 4 }), "Looked at 5 of 9 places …");
  assert.equal(said(answer), "The best place of 9, with how well they fit.");
  assert.equal(said({ ...answer, hits: [hit, hit] }), "The best 2 of 9, with how well they fit.");
  assert.equal(said({ ...answer, hits: [] }), "Nothing here is large enough to be looked at.");
  const read = said({ ...answer, taken: [["jetty", "boats at a dock"]], unknown: ["guitar", "tuesday"] });
  assert.equal(read, "The best place of 9, with how well they fit. jetty is taken as: boats at a dock. Not known: guitar, tuesday.");
});
