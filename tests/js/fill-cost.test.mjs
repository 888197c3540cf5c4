/** What a large fill asks before it begins. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { question } from "../../app/static/dialogs/fill-cost.mjs";
import { roughly } from "../../app/static/page/format.mjs";

test("the question names size, sampler, time and disk", () => {
  const cost = { width: 12288, height: 8192, sampler: "fast", steps: 4, windows: 7200, seconds: 3000, bytes: 2.6e8, peak: 3.2e8, free: 1e11 };
  const text = question(cost, 0.5);
  for (const part of ["12,288 × 8,192 px", "6144 m × 4096 m", "4 steps", "fast sampler", "7,200 windows", "about 50 min", "260 MB", "320 MB while", "100 GB are free"]) {
    assert.ok(text.includes(part), `${part}: ${text}`);
  }
  assert.ok(!question({ ...cost, seconds: null }, 1).includes("about"));
});

test("times are told as roughly as they are known", () => {
  assert.deepEqual([0.2, 80, 100, 3600, 7200, 200_000].map(roughly), ["1 s", "80 s", "2 min", "60 min", "2 h", "2.31 days"]);
});
