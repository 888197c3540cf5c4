import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, Pace, modelInfo, ordered, pendingFrames, reduce, secondsLeft, usualPace } from "../../app/static/scene/store.mjs";
import { dismiss, dismissed, recall, remember } from "../../app/static/scene/remembered.mjs";
import { followWords } from "../../app/static/panel/follow-slider.mjs";
import * as settings from "../../app/static/panel/settings.mjs";

const job = (id, state, position = null) => ({
  id, state, position, request: { frame: [0, 0, 64, 64], prompt: id }, step: 0, steps: 4, eta: null, error: null, notes: [],
});
const hello = { scene: { id: "s", revision: 3 }, jobs: [], model: EMPTY.model };

function storage() {
  const map = new Map();
  return { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => map.set(key, value), map };
}

const refusing = {
  getItem() {
    throw new Error("SecurityError");
  },
  setItem() {
    throw new Error("QuotaExceededError");
  },
};

test("jobs are listed running first, then by place in the queue, finished ones not at all", () => {
  const list = ordered([job("c", "queued", 1), job("d", "done"), job("f", "failed"), job("b", "queued", 0), job("a", "running")]);
  assert.deepEqual(list.map((item) => item.id), ["a", "b", "c", "f"]);
});

test("a job leaves the list when it is done or cancelled and stays when it failed", () => {
  let state = reduce(reduce(EMPTY, "hello", hello), "job", job("a", "running"));
  assert.equal(pendingFrames(state).length, 1);
  assert.equal(reduce(state, "job", job("a", "done")).jobs.length, 0);
  assert.equal(reduce(state, "job", job("a", "cancelled")).jobs.length, 0);
  state = reduce(state, "job", job("a", "failed"));
  assert.equal(state.jobs.length, 1);
  assert.equal(pendingFrames(state).length, 0);
  assert.equal(reduce(state, "dismissed", { id: "a" }).jobs.length, 0);
});

test("what can still be downloaded or resumed stays in the list, also after a reload", () => {
  const made = { ...job("made", "done"), kind: "export", download: true };
  const gone = { ...job("gone", "done"), kind: "export", download: false };
  const stopped = { ...job("stopped", "cancelled"), kind: "fill" };
  const list = [made, gone, stopped, { ...job("edit", "cancelled"), kind: "edit" }];
  assert.deepEqual(ordered(list).map((item) => item.id), ["made", "stopped"]);
  const state = list.reduce((before, one) => reduce(before, "job", one), reduce(EMPTY, "hello", hello));
  assert.deepEqual(state.jobs.map((item) => item.id), ["made", "stopped"]);
  assert.equal(pendingFrames(state).length, 0);
});

test("while the model loads its samplers are what the server foresees", () => {
  const loading = (samplers) => reduce(EMPTY, "model", { state: "loading", info: null, samplers, seconds_per_step: {} });
  for (const [samplers, name] of [[["quality", "fast"], "fast"], [["quality"], "quality"]]) {
    assert.equal(settings.effective(settings.DEFAULTS, modelInfo(loading(samplers))).sampler, name);
  }
  assert.equal(settings.qualityName(settings.DEFAULTS, modelInfo(EMPTY)), "Fast");
});

test("an older revision of the scene never replaces a newer one", () => {
  const state = reduce(EMPTY, "hello", hello);
  assert.equal(reduce(state, "scene", { id: "s", revision: 2 }), state);
  assert.equal(reduce(state, "scene", { id: "s", revision: 3, title: "new" }).scene.title, "new");
});

test("previews carry the progress of a job, and none brings a finished job back", () => {
  const state = reduce(reduce(EMPTY, "hello", hello), "job", job("a", "running"));
  const moved = reduce(state, "preview", { job: "a", step: 2, steps: 4, eta: 1.5 });
  assert.deepEqual([moved.jobs[0].step, moved.jobs[0].eta], [2, 1.5]);
  assert.equal(reduce(EMPTY, "preview", { job: "a", step: 2, steps: 4, eta: 1 }).jobs.length, 0);
});

test("a scene that is gone is told from one that is not known yet", () => {
  assert.ok(!reduce(EMPTY, "hello", hello).deleted);
  assert.ok(reduce(EMPTY, "hello", { ...hello, scene: null }).deleted);
  assert.ok(reduce(reduce(EMPTY, "hello", hello), "deleted", {}).deleted);
});

test("the pace is measured from the first step seen, and starts anew with a retry", () => {
  const pace = new Pace();
  assert.equal(pace.eta({ job: "a", step: 1, steps: 11 }, 100, null), null);
  assert.equal(pace.eta({ job: "a", step: 6, steps: 11 }, 110, null), 10);
  assert.equal(pace.eta({ job: "b", step: 1, steps: 11 }, 110, 0.5), 5);
  assert.equal(pace.eta({ job: "a", step: 1, steps: 11 }, 200, 3), 30);
  pace.eta({ job: "c", step: 0, steps: 100 }, 300, null);
  assert.equal(pace.eta({ job: "c", step: 1, steps: 100 }, 300.9, null), null, "the first step is not like the rest");
});

test("the time of all jobs is that of the last: it counts those before it", () => {
  const waiting = ["a", "b", "c"].map((id, n) => ({ ...job(id, n ? "queued" : "running", n || null), eta: [8, 16, 25][n] }));
  assert.equal(secondsLeft({ ...EMPTY, jobs: waiting }), 25);
  assert.equal(secondsLeft({ ...EMPTY, jobs: [...waiting, job("d", "queued", 3)] }), null);
  assert.equal(secondsLeft(EMPTY), null);
});

test("a fill has a pace of its own, an export none", () => {
  const jobs = ["fill", "generate", "export"].map((kind) => ({ ...job(kind, "running"), kind, request: { sampler: "fast" } }));
  const state = { ...EMPTY, jobs, model: { ...EMPTY.model, seconds_per_step: { fast: 0.1, "fill fast": 0.04 } } };
  assert.deepEqual(jobs.map(({ id }) => usualPace(state, id)), [0.04, 0.1, null]);
});

test("settings take what makes sense and keep the former value otherwise", () => {
  const one = settings.merged(settings.DEFAULTS, { prompt: "sea", seed: "12", steps: 30, guidance: "x", nonsense: 1 });
  assert.deepEqual([one.prompt, one.seed, one.steps, one.guidance, "nonsense" in one], ["sea", 12, 30, null, false]);
  const two = settings.merged(one, { seed: null, steps: -5, prompt: 7, seed_locked: "yes" });
  assert.deepEqual([two.seed, two.steps, two.prompt, two.seed_locked], [12, 1, "sea", false]);
  assert.equal(settings.merged(one, { seed: 1e20 }).seed, settings.MAX_SEED);
  assert.equal(settings.merged(two, { steps: null }).steps, null);
});

test("the seed that shows is used once, again when it is locked", () => {
  assert.equal(settings.nextSeed(settings.merged(settings.DEFAULTS, { seed: 5 })), 5);
  const locked = settings.merged(settings.DEFAULTS, { seed: 5, seed_locked: true, seed_used: true });
  assert.equal(settings.nextSeed(locked), 5);
  assert.notEqual(settings.nextSeed({ ...locked, seed_locked: false }, () => 0.5), 5);
});

test("the model's own steps stand until a person chooses", () => {
  const info = { steps: 20, guidance: 3, max_steps: 100, samplers: ["quality"], fast_steps: 4 };
  const named = (patch) => settings.qualityName(settings.merged(settings.DEFAULTS, patch), info);
  assert.equal(settings.effective(settings.DEFAULTS, info).steps, 20);
  assert.equal(named({}), "Quality");
  assert.equal(named(settings.quality("Fast")), "Fast");
  assert.equal(settings.effective(settings.merged(settings.DEFAULTS, settings.quality("Fast")), info).steps, 8);
  assert.equal(named({ steps: 13 }), null);
});

test("a model with a student is fast until a person chooses otherwise", () => {
  const info = { steps: 20, guidance: 3, max_steps: 100, samplers: ["quality", "fast"], fast_steps: 4 };
  const after = (...patches) => patches.reduce(settings.merged, settings.DEFAULTS);
  const { sampler, steps, guidance } = settings.effective(settings.DEFAULTS, info);
  assert.deepEqual([sampler, steps, guidance], ["fast", 4, 1]);
  assert.equal(settings.qualityName(settings.DEFAULTS, info), "Fast");
  const quality = after(settings.quality("Quality"));
  assert.equal(settings.effective(quality, info).steps, 20);
  assert.equal(settings.qualityName(quality, info), "Quality");
  const own = after({ steps: 4, sampler: "quality" });
  assert.equal(settings.qualityName(own, info), null);
  assert.deepEqual(settings.quality("Fast"), { sampler: "fast", steps: null, guidance: null });
  const back = after({ steps: 30, sampler: "quality" }, settings.quality("Fast"));
  assert.equal(settings.effective(back, info).steps, 4);
});

test("who leads beside other ground is decided by it until somebody chooses, and can be again", () => {
  assert.equal(settings.DEFAULTS.follow, null);
  const chosen = (...patches) => patches.reduce((before, follow) => settings.merged(before, { follow }), settings.DEFAULTS).follow;
  assert.deepEqual([0, 0.35, 1, -1, 7, "0.5"].map((follow) => chosen(follow)), [0, 0.35, 1, 0, 1, 0.5]);
  assert.equal(chosen(0.35, "much"), 0.35);
  assert.equal(chosen(0.35, null), null);
  assert.equal(settings.merged({ ...settings.DEFAULTS, follow: 0.35 }, { seed: 2 }).follow, 0.35);
  const kept = storage();
  settings.save(kept, settings.merged(settings.DEFAULTS, { follow: 0 }));
  assert.equal(settings.load(kept).follow, 0);
  assert.deepEqual([null, 0, 0.35, 1].map(followWords), ["", "continues the ground", "follows the prompt by 35 %", "follows the prompt"]);
});

test("settings survive a reload; damaged or refused storage gives the defaults", () => {
  const kept = storage();
  settings.save(kept, settings.merged(settings.DEFAULTS, { prompt: "a lake", steps: 9 }));
  assert.equal(settings.load(kept).prompt, "a lake");
  assert.equal(settings.load(kept).steps, 9);
  kept.setItem("text2earth.settings", "{broken");
  assert.deepEqual(settings.load(kept), { ...settings.DEFAULTS });
  settings.save(refusing, settings.DEFAULTS);
  assert.deepEqual(settings.load(refusing), { ...settings.DEFAULTS });
});

test("places are remembered per scene, damaged ones ignored, and not without bound", () => {
  const kept = storage();
  const place = { cx: 1, cy: 2, scale: 0.5, frame: { x: 0, y: 0, w: 64, h: 64 } };
  remember(kept, "a", place);
  assert.deepEqual(recall(kept, "a"), place);
  assert.equal(recall(kept, "b"), null);
  remember(kept, "b", { ...place, scale: null });
  assert.equal(recall(kept, "b"), null);
  for (let n = 0; n < 100; n++) remember(kept, `s${n}`, place);
  assert.equal(Object.keys(JSON.parse(kept.getItem("text2earth.places"))).length, 40);
  assert.equal(recall(refusing, "a"), null);
  remember(refusing, "a", place);
});

test("dismissed jobs stay dismissed", () => {
  const kept = storage();
  dismiss(kept, "a");
  dismiss(kept, "b");
  assert.deepEqual([...dismissed(kept)], ["a", "b"]);
  assert.equal(dismissed(refusing).size, 0);
});
