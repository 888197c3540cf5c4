import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, boxOf, labelPlace, simplified } from "../../app/static/geometry/polygon.mjs";
import { MAX_POINTS, MAX_REGIONS, PromptRegions } from "../../app/static/regions/prompt-regions.mjs";
import { RegionTool } from "../../app/static/regions/region-tool.mjs";

const rect = (x, y, w, h) => ({ x, y, w, h });
const TRIANGLE = [[0, 0], [100, 10], [40, 90]];

test("rectangles are filled with all that lies around and between them, on the grid of cells", () => {
  const regions = new PromptRegions(() => {});
  regions.add(rect(-13, 3, 40, 20), "forest");
  regions.add(rect(100, 50, 60, 30), "desert");
  regions.feather = 24;
  const prompts = [
    { text: "forest", region: [-16, 0, 32, 24], feather: 24 },
    { text: "desert", region: [96, 48, 160, 80], feather: 24 },
  ];
  assert.deepEqual(regions.request(), { bbox: [-16, 0, 160, 80], prompts });
  regions.between = false;
  assert.deepEqual(regions.request(), { bbox: [-16, 0, 160, 80], prompts, region: [[-16, 0, 32, 24], [96, 48, 160, 80]] });
});

test("a single rectangle is the fill; an outline is filled and nothing else, unless somebody wants it", () => {
  const regions = new PromptRegions(() => {});
  regions.add(rect(0, 0, 64, 32), "lake");
  assert.equal(regions.request().region, undefined);
  regions.clear();
  assert.equal(regions.addPolygon(TRIANGLE.map(([x, y]) => [x + 0.2, y - 0.3]), "forest"), null);
  assert.deepEqual(regions.request(), { bbox: [0, 0, 104, 96], prompts: [{ text: "forest", region: TRIANGLE, feather: 64 }], region: [TRIANGLE] });
  regions.add(rect(200, 0, 64, 64), "desert");
  assert.equal(regions.between, false);
  assert.equal(regions.request().region.length, 2);
  regions.between = true;
  assert.equal(regions.request().region, undefined);
  regions.clear();
  regions.add(rect(0, 0, 64, 32), "");
  regions.add(rect(0, 64, 64, 32), "");
  assert.equal(regions.between, true, "the choice was about the regions that are gone");
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
  assert.equal(told, 6, "a prompt is shown in its region, too");
});

test("what cannot be filled is refused with a sentence: too small, no area, too many", () => {
  const regions = new PromptRegions(() => {});
  for (const wrong of [[[0, 0], [90, 90]], [[0, 0], [50, 50], [90, 90]], [[0, 0], [4, 0], [0, 4]]]) {
    assert.match(regions.addPolygon(wrong, ""), /too small/);
  }
  for (let n = 0; n < MAX_REGIONS; n++) assert.equal(regions.add(rect(n * 8, 0, 8, 8), ""), null);
  assert.match(regions.add(rect(0, 0, 8, 8), ""), /as many regions/);
  assert.equal(regions.list.length, MAX_REGIONS);
});

test("a simplified outline has few points and encloses the same", () => {
  const circle = Array.from({ length: 2000 }, (_, n) => {
    const at = (2 * Math.PI * n) / 2000;
    return [500 * Math.cos(at), 500 * Math.sin(at)];
  });
  const few = simplified(circle, 2, MAX_POINTS);
  assert.ok(few.length <= 64);
  assert.ok(Math.abs(areaOf(few) / areaOf(circle) - 1) < 0.02);
  const jagged = Array.from({ length: 3000 }, (_, n) => [n, (n % 2) * 40]).concat([[3000, 900], [0, 900]]);
  assert.ok(simplified(jagged, 1, 50).length <= 50);
  assert.deepEqual(simplified(TRIANGLE, 1, 50), TRIANGLE);
});

test("a label lies inside, also of what is bent", () => {
  const horseshoe = [[0, 0], [100, 0], [100, 100], [70, 100], [70, 30], [30, 30], [30, 100], [0, 100]];
  const [x, y] = labelPlace(horseshoe);
  assert.ok((x < 30 || x > 70) && y === 50);
  assert.deepEqual(boxOf(horseshoe), rect(0, 0, 100, 100));
});

/** A tool on a page that shows `scale` CSS pixels per scene pixel. */
function drawing(shape, scale = 1) {
  const regions = new PromptRegions(() => {});
  const page = { view: { scale }, redraw() {}, dropPrompt: (add) => add(regions, "forest") };
  const tool = new RegionTool(page);
  tool.choose(shape);
  const click = (x, y) => (tool.start({ x, y }), tool.end());
  return { regions, tool, click };
}

test("a polygon is clicked corner by corner and closed at its first corner, by a second click or by Enter", () => {
  for (const close of [({ click }) => click(3, 4), ({ click }) => click(41, 91), ({ tool }) => tool.finish()]) {
    const it = drawing("polygon");
    for (const [x, y] of TRIANGLE) it.click(x, y);
    assert.ok(it.regions.empty);
    assert.deepEqual(it.tool.draft, { points: [...TRIANGLE, [40, 90]], corners: true });
    close(it);
    assert.deepEqual(it.regions.list[0].points, TRIANGLE);
    assert.equal(it.tool.draft, null);
  }
});

test("corners can be taken back, and what is being drawn dropped", () => {
  const { regions, tool, click } = drawing("polygon");
  for (const [x, y] of [...TRIANGLE, [500, 500]]) click(x, y);
  tool.back();
  tool.hover({ x: 7, y: 60 });
  assert.deepEqual(tool.draft.points, [...TRIANGLE, [7, 60]]);
  for (let n = 0; n < 5; n++) tool.back();
  assert.equal(tool.draft, null);
  click(0, 0);
  tool.drop();
  assert.equal(tool.finish(), false);
  assert.ok(regions.empty);
});

test("a second finger takes back a press, not the corners set before", () => {
  const { tool, click } = drawing("polygon");
  click(0, 0);
  click(100, 0);
  tool.start({ x: 50, y: 50 });
  tool.cancel();
  assert.equal(tool.draft.points.length, 3);
  const lasso = drawing("lasso");
  lasso.tool.start({ x: 0, y: 0 });
  lasso.tool.move([{ x: 40, y: 40 }]);
  lasso.tool.cancel();
  assert.equal(lasso.tool.draft, null);
});

test("rectangles are dragged, lassos drawn; a click makes neither", () => {
  for (const shape of ["rectangle", "lasso"]) {
    const { regions, tool, click } = drawing(shape, 0.5);
    click(10, 10);
    tool.start({ x: 0, y: 0 });
    tool.move([{ x: 90, y: 4 }, { x: 100, y: 60 }, { x: 30, y: 80 }]);
    assert.equal(tool.draft.corners, false);
    tool.end();
    assert.equal(regions.list.length, 1);
    assert.equal(regions.list[0].rectangle, shape === "rectangle");
    assert.deepEqual(boxOf(regions.list[0].points), shape === "rectangle" ? rect(0, 0, 32, 80) : rect(0, 0, 100, 80));
  }
});

test("every region has a colour that no other has", () => {
  const regions = new PromptRegions(() => {});
  for (let n = 0; n < MAX_REGIONS; n++) regions.add(rect(n * 64, 0, 64, 64), "forest");
  assert.equal(new Set(regions.list.map(({ colour }) => colour)).size, MAX_REGIONS);
  const { key, colour } = regions.list[3];
  regions.remove(key);
  regions.add(rect(0, 100, 64, 64), "lake");
  assert.equal(regions.list.at(-1).colour, colour, "one that is free again is given again");
});
