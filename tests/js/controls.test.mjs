import assert from "node:assert/strict";
import { test } from "node:test";
import { samplerWords } from "../../app/static/panel/history-panel.mjs";
import { primaryLabel } from "../../app/static/panel/primary-label.mjs";
import { chosen, described } from "../../app/static/panel/controls.mjs";
import { found } from "../../app/static/dialogs/scene-list.mjs";
import { choiceOf, isDark } from "../../app/static/page/theme-choice.mjs";

const description = {
  resolution: 2, trained: true, choices: [{ metres: 1, trained: true }, { metres: 16, trained: false }], fixed: false, window: 256,
  maxSteps: 100, steps: 20, guidance: 4, quality: "Quality", label: "Generate", fast: false,
};

test("Gradio's controls are told the settings in the order of its outputs", () => {
  const settings = { prompt: "a lake", negative_prompt: "snow", seed: 7, seed_locked: true, seed_used: false, steps: null, guidance: null, sampler: null, follow: null };
  assert.deepEqual(chosen(settings), ["a lake", "snow", 7, true]);
});

test("controls are told what depends on scene and model", () => {
  const [steps, guidance, quality, button] = described(description);
  assert.equal(button.value, "Generate");
  assert.deepEqual([steps.maximum, steps.value, guidance, quality.value], [100, 20, 4, "Quality"]);
});

test("the main button says what a press of it will do", () => {
  const quiet = { masked: false, variations: 3, seconds: null, regions: 0, first: false };
  assert.equal(primaryLabel(quiet), "Generate");
  assert.equal(primaryLabel({ ...quiet, first: true }), "Make the first tile");
  assert.equal(primaryLabel({ ...quiet, regions: 2, first: true }), "Fill 2 regions");
  assert.equal(primaryLabel({ ...quiet, regions: 2, masked: true }), "Change mask, 3 variations");
  assert.equal(primaryLabel({ ...quiet, masked: true, variations: 1, seconds: 40 }), "Change mask, 1 variation, about 40 s");
});

test("steps of one's own are a quality of their own, and what the fast sampler does not read cannot be written", () => {
  const [, , quality, , negative] = described({ ...description, quality: null, fast: true });
  assert.deepEqual([quality.value, quality.choices.length], ["Custom", 3]);
  assert.equal(negative.interactive, false);
  assert.match(negative.info, /does not read it/);
  const [, , named, , free] = described(description);
  assert.equal(named.choices.length, 2);
  assert.ok(free.interactive);
});

test("the history says which sampler took how many steps", () => {
  assert.equal(samplerWords({ sampler: "fast", steps: 4 }), " · fast, 4 steps");
  assert.equal(samplerWords({ steps: 20 }), " · quality, 20 steps");
});

test("the theme is what was chosen, else what the system is", () => {
  assert.deepEqual([null, "light", "dark", "blue"].map(choiceOf), ["system", "light", "dark", "system"]);
  assert.deepEqual([isDark("system", true), isDark("light", true), isDark("dark", false)], [true, false, true]);
});

test("scenes are found by any part of their name", () => {
  assert.ok(found("Coast of Ärö", "ärö ") && found("anything", "") && !found("Coast", "cost"));
});
