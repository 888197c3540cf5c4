/** Maps and pictures in and out of the page: the dialogs, the jobs, the download at the end, dropping and pasting. */
import { pickFile } from "./dialogs.mjs";
import { exportDialog } from "./export-dialog.mjs";
import { importDialog } from "./import-dialog.mjs";
import { ExportLayers } from "../layers/export-layers.mjs";
import { layerOf } from "../layers/layers.mjs";
import { bytes } from "../page/format.mjs";
import { fromXYWH, intersect, toXYWH } from "../geometry/rect.mjs";

const PICTURES = "image/png,image/jpeg,image/webp,image/tiff,.tif,.tiff,.png,.jpg,.jpeg,.webp";
const SCENE_FILE = /\.t2e$/i;

export class MapFiles {
  #page;
  #api;
  /** Exports that this page has asked for: their download begins by itself. @type {Set<string>} */
  #wanted = new Set();

  /** @param {import("../scene-canvas.mjs").Page} page @param {import("../scene/transport.mjs").Api} api */
  constructor(page, api) {
    this.#page = page;
    this.#api = api;
  }

  /** Ask what to export, and queue it. */
  export() {
    const page = this.#page;
    const { scene } = page.state;
    if (!scene || scene.empty) return;
    const bounds = fromXYWH(scene.bounds);
    const seen = page.view.visible();
    const x = Math.floor(seen.x);
    const y = Math.floor(seen.y);
    const view = { x, y, w: Math.ceil(seen.x + seen.w) - x, h: Math.ceil(seen.y + seen.h) - y };
    const regions = [
      { name: "whole", label: "Whole scene", rect: bounds },
      { name: "view", label: "What the window shows", rect: intersect(view, bounds) },
      { name: "frame", label: "The frame", rect: page.frame },
    ];
    exportDialog(page, scene, regions, new ExportLayers(scene, page.layers.active), async ({ format, rect, whole, layers, place }) => {
      if (place) page.apply("scene", await this.#api.call("PUT", `/scenes/${scene.id}/anchor`, place));
      else if (scene.anchor && format === "tif") page.apply("scene", await this.#api.call("DELETE", `/scenes/${scene.id}/anchor`));
      const wish = { format, region: whole ? null : toXYWH(rect), layers };
      const { id } = await this.#api.post(`/scenes/${scene.id}/exports`, wish);
      // A small one can be faster than its answer.
      if (page.state.jobs.some((job) => job.id === id && job.state === "done")) return page.actions.download(`/exports/${id}`);
      this.#wanted.add(id);
    });
  }

  /** Let the person choose a picture. */
  pick() {
    pickFile(PICTURES, (file) => this.receive(file));
  }

  /**
   * Send a file to the server, ask what it does not say, and queue its import; a scene file is opened instead.
   * @param {File} file @param {{x: number, y: number}} [middle] scene px where it was dropped
   */
  receive(file, middle = { x: this.#page.view.cx, y: this.#page.view.cy }) {
    const page = this.#page;
    if (SCENE_FILE.test(file.name)) return page.actions.scenes.upload(file);
    return page.actions.run(async () => {
      const { scene } = page.state;
      if (!scene) return;
      page.notices.show(`Reading ${file.name} (${bytes(file.size)}) …`, { seconds: 3 });
      const path = `/scenes/${scene.id}/imports`;
      const picture = await this.#api.call("POST", `${path}?name=${encodeURIComponent(file.name)}`, file);
      const sent = await importDialog(page, picture, scene, middle, async ({ adopted, ...wish }) => {
        if (adopted !== null) page.apply("scene", await this.#api.call("PATCH", `/scenes/${scene.id}`, { resolution: adopted }));
        return this.#api.post(`${path}/${picture.file}`, { name: file.name, ...wish });
      });
      if (!sent) await this.#api.call("DELETE", `${path}/${picture.file}`);
    }, () => this.receive(file, middle));
  }

  /** A job of this scene is done. @param {import("../scene/store.mjs").Job} job */
  finished(job) {
    const page = this.#page;
    if (job.kind === "export") {
      const download = () => page.actions.download(`/exports/${job.id}`);
      page.notices.show(`The export is ready, ${bytes(job.result.bytes)}.`, { action: { label: "Download", run: download }, seconds: 60 });
      if (this.#wanted.delete(job.id)) download();
    } else if (job.kind === "fill" && job.request.task) {
      page.layers.reveal([layerOf(job.request)]);
    } else if (job.kind === "import") {
      for (const note of job.notes) page.notices.show(note, { seconds: 15 });
      const rect = fromXYWH(job.result.rect);
      page.layers.reveal(job.result.layers ?? []);
      if (page.state.scene?.bounds && String(page.state.scene.bounds) === String(job.result.rect)) page.fit();
      else page.reveal(rect);
    }
  }

  /** Take files that are dropped onto the map or pasted. @param {AbortSignal} signal ends the listening */
  listen(signal) {
    const page = this.#page;
    const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    page.addEventListener("dragover", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      page.classList.add("is-drop-target");
    }, { signal });
    page.addEventListener("dragleave", (event) => {
      if (!page.contains(/** @type {Node} */ (event.relatedTarget))) page.classList.remove("is-drop-target");
    }, { signal });
    page.addEventListener("drop", (event) => {
      page.classList.remove("is-drop-target");
      if (!carries(event) || !event.dataTransfer.files.length) return;
      event.preventDefault();
      void this.receive(event.dataTransfer.files[0], page.view.toScene(event.clientX, event.clientY));
    }, { signal });
    addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      // Text copied from an office program comes with a picture of it: then the text is meant.
      if (!file || event.clipboardData.types.includes("text/plain") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      void this.receive(file);
    }, { signal });
  }
}
