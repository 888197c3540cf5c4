import assert from "node:assert/strict";
import { test } from "node:test";
import { MeasureTool } from "../../app/static/tools/measure-tool.mjs";

function measuring({ resolution = 2, scale = 1 } = {}) {
  const tool = new MeasureTool({ state: { scene: { resolution } }, view: { scale }, redraw() {} });
  const click = (x, y) => {
    tool.start({ x, y });
    tool.end();
  };
  return { tool, click };
}

test("a way is as long as its parts on the ground", () => {
  const { tool, click } = measuring();
  assert.equal(tool.text, "");
  click(0, 0);
  assert.equal(tool.text, "", "one point is no way");
  click(30, 40);
  assert.equal(tool.text, "100 m");
  tool.hover({ x: 30, y: 140 });
  assert.match(tool.text, /^300 m · .* if closed$/);
  tool.hover(null);
  assert.equal(tool.text, "100 m", "what lies under no pointer does not count");
});

test("a click on the first point closes an area, and the next click begins anew", () => {
  const { tool, click } = measuring({ scale: 2 });
  for (const [x, y] of [[0, 0], [100, 0], [100, 50], [0, 50]]) click(x, y);
  click(4, 2);
  assert.equal(tool.text, "2 ha · 600 m around");
  tool.hover({ x: 500, y: 500 });
  assert.equal(tool.drawn.points.length, 4, "it is finished");
  click(7, 7);
  assert.deepEqual(tool.drawn, { points: [[7, 7]], set: 1, closed: false, text: "" });
});

test("a way ends with a second click on its last point or by key, and can be gone on with", () => {
  const { tool, click } = measuring();
  click(0, 0);
  tool.finish();
  click(50, 0);
  click(52, 1);
  tool.hover({ x: 900, y: 900 });
  assert.equal(tool.text, "100 m", "the second click was on the last point");
  tool.back();
  tool.hover({ x: 100, y: 0 });
  assert.match(tool.text, /^200 m/);
  tool.back();
  tool.back();
  assert.equal(tool.drawn, null);
  tool.back();
});
