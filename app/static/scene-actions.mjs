/** What a person can do with whole scenes: make, open, rename, copy, delete, bring and take away. */
import { pickFile } from "./dialogs/dialogs.mjs";
import * as dialogs from "./dialogs/scene-dialogs.mjs";
import { sceneList } from "./dialogs/scene-list.mjs";

export class SceneActions {
  #page;
  #api;
  #actions;

  /** @param {import("./scene-canvas.mjs").Page} page @param {import("./scene/transport.mjs").Api} api @param {import("./actions.mjs").Actions} actions */
  constructor(page, api, actions) {
    this.#page = page;
    this.#api = api;
    this.#actions = actions;
  }

  create() {
    return this.#actions.run(async () => this.#page.openScene((await this.#api.post("/scenes", {})).id));
  }

  example() {
    return this.#actions.run(async () => this.#page.openScene((await this.#api.post("/scenes/example")).id));
  }

  /** The list of all scenes, with what can be done to each. */
  choose() {
    return this.#actions.run(async () => {
      await sceneList(this.#page, await this.#api.get("/scenes"), this.#page.sceneId, {
        again: () => this.#api.get("/scenes"),
        open: (scene) => scene.id !== this.#page.sceneId && this.#page.openScene(scene.id),
        rename: (scene) => this.rename(scene),
        duplicate: (scene) => this.#actions.run(() => this.#api.post(`/scenes/${scene.id}/duplicate`)),
        download: (scene) => this.#actions.download("/file", scene.id),
        remove: (scene) => this.remove(scene),
      });
    });
  }

  /** @param {import("./scene/store.mjs").Scene} scene */
  rename(scene = this.#page.state.scene) {
    return this.#actions.run(async () => {
      const title = await dialogs.askTitle(this.#page, scene.title);
      if (title !== null) this.#page.apply("scene", await this.#api.call("PATCH", `/scenes/${scene.id}`, { title }));
    });
  }

  duplicate() {
    return this.#actions.run(async () => {
      const copy = await this.#api.post(this.#actions.scenePath("/duplicate"));
      this.#page.openScene(copy.id);
      this.#page.notices.show(`This is the copy, “${copy.title}”.`);
    });
  }

  /** @param {File} file */
  upload(file) {
    return this.#actions.run(async () => this.#page.openScene((await this.#api.post("/scenes/upload", file)).id));
  }

  pickUpload() {
    pickFile(".t2e", (file) => this.upload(file));
  }

  /** @param {import("./scene/store.mjs").Scene} scene */
  remove(scene = this.#page.state.scene) {
    return this.#actions.run(async () => {
      if (!(await dialogs.confirmDelete(this.#page, scene.title))) return;
      const shown = scene.id === this.#page.sceneId;
      await this.#api.call("DELETE", `/scenes/${scene.id}`);
      if (shown) await this.#page.openAny();
      this.#page.notices.show(`Deleted “${scene.title}”; the file is in the trash folder.`);
    });
  }
}
