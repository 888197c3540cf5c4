import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_REGIONS, PromptRegions } from "../../app/static/prompt-regions.mjs";

const rect = (x, y, w, h) => ({ x, y, w, h });

test("a fill asks for the smallest rectangle around all regions, on the grid of cells", () => {
  const regions = new PromptRegions(() => {});
  regions.add(rect(-13, 3, 40, 20), "forest");
  regions.add(rect(100, 50, 60, 30), "desert");
  regions.feather = 24;
  assert.deepEqual(regions.request(), {
    bbox: [-16, 0, 160, 80],
    prompts: [
      { text: "forest", region: [-16, 0, 32, 24], feather: 24 },
      { text: "desert", region: [96, 48, 160, 80], feather: 24 },
    ],
  });
});

test("regions keep their prompts when others go, and every change is told", () => {
  let told = 0;
  const regions = new PromptRegions(() => told++);
  for (const text of ["a", "b", "c"]) regions.add(rect(0, 0, 8, 8), text);
  const [, second] = regions.list;
  regions.write(second.key, "river");
  regions.remove(regions.list[0].key);
  assert.deepEqual(regions.list.map(({ text }) => text), ["river", "c"]);
  regions.clear();
  assert.ok(regions.empty);
  assert.equal(told, 5);
});

test("there are never more regions than the server takes", () => {
  const regions = new PromptRegions(() => {});
  for (let n = 0; n < MAX_REGIONS; n++) assert.ok(regions.add(rect(n * 8, 0, 8, 8), ""));
  assert.equal(regions.add(rect(0, 0, 8, 8), ""), false);
  assert.equal(regions.list.length, MAX_REGIONS);
});
