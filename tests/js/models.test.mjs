import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, loadingWords } from "../../app/static/model/model-words.mjs";

const model = { name: "mini", where: "shipped", fingerprint: "abc", runs: true, why_not: null, partly: false, how: "bfloat16 on cpu", memory: "0.2 GB", seconds_per_step: {} };

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

test("a model that is here in part may be fetched, whatever it lacks", () => {
  assert.equal(factsOf({ ...model, where: "hub cache", runs: false, partly: true, why_not: "It lacks unet/." }, null), "hub cache · fetched in part");
});

test("while a model comes, bytes of bytes are said, and that it is being stopped", () => {
  assert.equal(loadingWords("owner/model", null), "Loading owner/model …");
  assert.equal(loadingWords("owner/model", { bytes: 1.2e9, of: 5.2e9, stopping: false }), "Fetching owner/model: 1.2 GB of 5.2 GB …");
  assert.match(loadingWords("owner/model", { bytes: 1, of: 2, stopping: true }), /^Stopping/);
});
