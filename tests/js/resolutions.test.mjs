/** Which resolutions the picker offers, and which of them it marks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seenPart } from "../../app/static/panel/ground-picture.mjs";
import { choices, isTrained, resolutionNotes } from "../../app/static/panel/resolutions.mjs";

test("what the model was not trained on is offered and marked", () => {
  const marked = choices([0.3, 0.5, 1, 2, 4], 1).map(({ metres, trained }) => (trained ? metres : -metres));
  assert.deepEqual(marked, [0.3, 0.5, 1, 2, 4, -8, -16]);
});

test("a scene's own resolution is among them, and between two known ones it is no stranger", () => {
  assert.deepEqual(choices([0.5, 2], 1.5).find(({ metres }) => metres === 1.5), { metres: 1.5, trained: true });
  assert.equal(isTrained([0.5, 2], 2.1), true);
  assert.equal(isTrained([0.5, 2], 0.3), false);
});

test("nothing is marked before the model is known", () => {
  assert.deepEqual(choices([], 2), [{ metres: 2, trained: true }]);
});

test("what is to be known of a resolution is said, and what a mark means", () => {
  const described = { resolution: 2, trained: true, choices: choices([1, 2], 2), fixed: false, window: 256 };
  assert.equal(resolutionNotes(described), "One window: 512 × 512 m. * untrained.");
  assert.equal(resolutionNotes({ ...described, fixed: true, trained: false }), "This model was not trained at 2 m/px.");
});

test("a picture shows as many metres as its pixels cover", () => {
  assert.equal(seenPart(0.5, 34), "-8.5 -8.5 17 17");
  assert.equal(seenPart(4, 34), "-68 -68 136 136");
});
