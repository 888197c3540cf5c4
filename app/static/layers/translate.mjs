/** Makes a layer of the scene from another one: asks how, asks again before a long one, queues it. */
import { question } from "../dialogs/fill-cost.mjs";
import { confirm } from "../dialogs/dialogs.mjs";
import { fromXYWH } from "../geometry/rect.mjs";
import { filled } from "./layers.mjs";
import { newFirst, possible, translateDialog, whyNoneMade } from "./translate-dialog.mjs";

/** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
export function translateLayer(page, api) {
  const { model, scene } = page.state;
  const there = filled(scene);
  const why = whyNoneMade(model, there);
  if (why) return page.notices.show(why, { seconds: 15 });
  const places = [
    { name: "whole", label: "Wherever that layer is", rect: (source) => fromXYWH(scene.layer_bounds[source]) },
    ...(page.regions.empty ? [] : [{ name: "regions", label: "Around the regions that are drawn", rect: () => page.regions.box }]),
    ...(page.frame ? [{ name: "frame", label: "The frame", rect: () => page.frame }] : []),
  ];
  translateDialog(page, newFirst(possible(model, there), scene.layer_bounds), places, async ({ task, rect, text }) => {
    const { seed, sampler } = page.panel.request;
    const wish = { task: task.name, bbox: [rect.x, rect.y, rect.x + rect.w, rect.y + rect.h], prompts: [{ text }], seed, sampler };
    const cost = await api.post(`/scenes/${scene.id}/fills/cost`, wish);
    if (cost.large && !(await confirm(page, "A large translation", question(cost, scene.resolution), "Make"))) return;
    await api.post(`/scenes/${scene.id}/fills`, { ...wish, confirmed: true });
    page.afterSubmit(seed);
  });
}
