/** A whole layer is emptied, after a question; it can be undone like any other step. */
import { confirm } from "../dialogs/dialogs.mjs";
import { titleOf } from "./layers.mjs";

/** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api @param {import("./layers.mjs").Layer} layer */
export function eraseLayer(page, api, layer) {
  const { actions } = page;
  return actions.run(async () => {
    const text = `Erase all of the layer ${titleOf(layer)}? The other layers stay as they are; undo brings it back.`;
    if (!(await confirm(page, "Erase a layer", text, "Erase", true))) return;
    actions.noteBranch();
    actions.erased(await api.post(actions.scenePath("/erase"), { rect: null, layer }), `The layer ${titleOf(layer)} is erased.`);
  });
}
