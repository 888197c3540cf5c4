/** What is told before an edit begins. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { costWords, secondsOf } from "../../app/static/mask/edit-cost.mjs";

test("the sentence names variations and sampler, and the time where it is known", () => {
  assert.equal(costWords(3, "fast", 4.6), "3 variations, fast, about 5 s");
  assert.equal(costWords(1, "quality", null), "1 variation, quality");
});

test("nothing is foretold where the server cannot say", async () => {
  const asked = [];
  const page = (post) => ({ sceneId: "s", panel: { request: { sampler: "fast", steps: null } }, api: { post } });
  const area = { x: 1, y: 2, w: 30, h: 40 };
  const wish = { strength: 0.5, feather: 4, variations: 3 };
  const known = async (...request) => asked.push(request) && { seconds: 2 };
  assert.equal(await secondsOf(page(known), area, wish), 2);
  assert.deepEqual(asked, [["/scenes/s/edits/cost", { rect: [1, 2, 30, 40], sampler: "fast", steps: null, strength: 0.5, variations: 3 }]]);
  for (const post of [async () => ({ seconds: null }), async () => Promise.reject(new Error("The model is still loading."))]) {
    assert.equal(await secondsOf(page(post), area, wish), null);
  }
});
