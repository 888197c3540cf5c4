/** The dialog that lists all scenes, with a picture of each and what can be done to it. */
import { open } from "./dialogs.mjs";
import { h, iconButton } from "../page/dom.mjs";
import { ago, bytes, length, resolution } from "../page/format.mjs";

/** Scenes from which on a list is searched rather than read. */
const MANY = 8;

/**
 * @typedef {import("../scene/store.mjs").Scene} Scene
 * @typedef {{again: () => Promise<Scene[]>, open: (scene: Scene) => void, rename: (scene: Scene) => Promise<any>, duplicate: (scene: Scene) => Promise<any>,
 *   download: (scene: Scene) => void, remove: (scene: Scene) => Promise<any>}} Deeds `again` lists anew after one of them
 */

/** Whether a title holds what is searched for. @param {string} title @param {string} sought */
export function found(title, sought) {
  return title.toLocaleLowerCase().includes(sought.trim().toLocaleLowerCase());
}

/** @param {Scene} scene its size, resolution, bytes and age in one line */
function about(scene) {
  const size = scene.bounds ? `${length(scene.bounds[2] * scene.resolution)} × ${length(scene.bounds[3] * scene.resolution)}` : "empty";
  return `${size} · ${resolution(scene.resolution)} · ${bytes(scene.bytes)} · ${ago(scene.modified, Date.now())}`;
}

/** @param {Scene} scene @returns {HTMLElement} its picture, or an empty place */
function picture(scene) {
  if (scene.empty) return h("span", { class: "scene-picture" });
  const image = h("img", { class: "scene-picture", alt: "", loading: "lazy", src: `api/scenes/${scene.id}/picture.webp?v=${scene.revision}` });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "scene-picture" }))); // none: too wide for a look
  return image;
}

/**
 * @param {HTMLElement} host @param {Scene[]} scenes @param {string} currentId @param {Deeds} deeds
 * @returns {Promise<void>} when it is closed
 */
export function sceneList(host, scenes, currentId, deeds) {
  return new Promise((resolve) => {
    const list = h("ul", { class: "scene-list" });
    const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search scenes", autocomplete: "off", hidden: scenes.length <= MANY });
    /** Do something to a scene, then list them as they are. @param {Promise<any>} done */
    const then = async (done) => {
      await done;
      scenes = await deeds.again();
      show();
    };
    /** @param {Scene} scene */
    const row = (scene) => {
      const choose = () => {
        dialog.close();
        deeds.open(scene);
      };
      const named = `“${scene.title}”`;
      return h(
        "li",
        {},
        h(
          "button",
          { type: "button", class: "scene-row", "aria-current": scene.id === currentId ? "true" : null, onclick: choose },
          picture(scene),
          h("span", { class: "scene-text" }, h("strong", {}, scene.title), h("small", {}, about(scene))),
        ),
        iconButton("pencil", `Rename ${named}`, () => then(deeds.rename(scene))),
        iconButton("copy", `Duplicate ${named}`, () => then(deeds.duplicate(scene))),
        iconButton("export", `Download ${named}`, () => deeds.download(scene)),
        iconButton("trash", `Delete ${named}`, () => then(deeds.remove(scene))),
      );
    };
    const show = () => {
      const rows = scenes.filter((scene) => found(scene.title, search.value)).map(row);
      list.replaceChildren(...(rows.length ? rows : [h("li", { class: "quiet" }, scenes.length ? "No scene has this in its name." : "There are no scenes yet.")]));
    };
    search.addEventListener("input", show);
    const dialog = open(host, "Open a scene", search, list);
    dialog.classList.add("scenes");
    dialog.addEventListener("close", () => resolve());
    show();
  });
}
