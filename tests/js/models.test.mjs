import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "../../app/static/model/model-words.mjs";

const model = { name: "mini", where: "shipped", fingerprint: "abc", runs: true, why_not: null, how: "bfloat16 on cpu", memory: "0.2 GB", seconds_per_step: {} };

test("a model says where it is, how it runs and how fast", () => {
  assert.equal(factsOf(model, null), "shipped · abc · bfloat16 on cpu · 0.2 GB · speed not measured yet");
  const timed = factsOf({ ...model, seconds_per_step: { quality: 0.05, "fill quality": 9 } }, null);
  assert.ok(timed.endsWith("50 ms a step (quality)"), timed);
});

test("of the one at work the latest is said", () => {
  const current = { info: { fingerprint: "new" }, seconds_per_step: { quality: 2 } };
  const told = factsOf({ ...model, fingerprint: null, seconds_per_step: { quality: 0.05 } }, current);
  assert.ok(told.includes("· new ·") && !told.includes("50 ms"), told);
});

test("what cannot be used has a reason", () => {
  assert.equal(factsOf({ ...model, runs: false, why_not: "It lacks unet/." }, null), "It lacks unet/.");
});
