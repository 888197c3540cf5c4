/** Makes the parts of the page and connects their buttons with the actions. */
import { Actions } from "./actions.mjs";
import { BrushRing } from "./mask/brush-ring.mjs";
import { EarthPlace } from "./page/earth-place.mjs";
import { EditCost } from "./mask/edit-cost.mjs";
import { Finder } from "./find/finder.mjs";
import { FollowSlider } from "./panel/follow-slider.mjs";
import { FrameTrail } from "./scene/frame-trail.mjs";
import { h } from "./page/dom.mjs";
import { Hints } from "./page/hints.mjs";
import { HistoryPanel } from "./panel/history-panel.mjs";
import { MapFiles } from "./dialogs/map-files.mjs";
import { MapLayer } from "./map/map-layer.mjs";
import { Markers } from "./map/markers.mjs";
import { MaskBar } from "./mask/mask-bar.mjs";
import { MaskTools } from "./mask/mask-tools.mjs";
import { MeasureTool } from "./tools/measure-tool.mjs";
import { Notices } from "./page/notices.mjs";
import { OverlayLayer } from "./map/overlay-layer.mjs";
import { PanelLink } from "./panel/panel-link.mjs";
import { primaryLabel } from "./panel/primary-label.mjs";
import { PromptRegions } from "./regions/prompt-regions.mjs";
import { ModelPicker } from "./model/model-picker.mjs";
import { QueueList } from "./panel/panel-slots.mjs";
import { PointerTools } from "./tools/pointer-tools.mjs";
import { RegionBar } from "./regions/region-bar.mjs";
import { RegionTool } from "./regions/region-tool.mjs";
import { Staging } from "./map/staging.mjs";
import { ResolutionChoice } from "./panel/resolution-choice.mjs";
import { SeedDice } from "./panel/seed-dice.mjs";
import { NARROW } from "./page/layout.mjs";
import { CHOICES, ThemeChoice } from "./page/theme-choice.mjs";
import { StatusBar } from "./page/status-bar.mjs";
import { SceneLayers } from "./layers/scene-layers.mjs";
import { ToolRail } from "./tools/tool-rail.mjs";
import { TopBar } from "./page/top-bar.mjs";
import { titleOf } from "./layers/layers.mjs";
import { isOpen } from "./scene/store.mjs";
import { Api } from "./scene/transport.mjs";

/** Of the mask on the map: no ground has it. */
const MASK_COLOUR = "#ff2bd6";
const LABEL =
  "Scene map. Arrow keys move the frame, Alt and an arrow key extend the scene, question mark lists all keys.";

/** @param {import("./scene-canvas.mjs").Page} page @param {Actions} actions @param {MapFiles} files @returns {import("./page/top-bar.mjs").MenuItem[]} */
function sceneMenu(page, actions, files) {
  // What has no room in the top bar of a small window.
  const more = [{ label: "Copy the address", run: () => actions.share() }, { label: CHOICES[page.theme.choice].label, run: () => page.bar.turnTheme() }];
  return [
    { label: "New scene", run: () => actions.scenes.create() },
    { label: "Open …", run: () => actions.scenes.choose() },
    { label: "Open an example", run: () => actions.scenes.example() },
    null,
    { label: "Rename …", run: () => actions.scenes.rename() },
    { label: "Duplicate", run: () => actions.scenes.duplicate() },
    { label: "Download scene file", run: () => actions.download("/file") },
    { label: "Upload scene file …", run: () => actions.scenes.pickUpload() },
    { label: "Import a picture …", run: () => files.pick() },
    { label: "Make a layer from another …", run: () => page.layers.translate() },
    null,
    ...(innerWidth <= NARROW ? [...more, null] : []),
    { label: "Delete …", run: () => actions.scenes.remove(), danger: true },
  ];
}

/** What the panel's main button will do. @param {import("./scene-canvas.mjs").Page} page */
function mainLabel({ editCost, layers, mask, regions, state }) {
  const first = Boolean(state.scene?.empty) && !state.jobs.some(isOpen);
  const { variations } = mask.settings;
  const layer = layers.active === "rgb" ? "" : titleOf(layers.active);
  return primaryLabel({ masked: !mask.empty, variations, seconds: editCost.seconds, regions: regions.list.length, first, layer });
}

/** Fills the fields of the element. @param {import("./scene-canvas.mjs").Page} page @returns {Element[]} its children */
export function assemble(page) {
  const api = new Api();
  const actions = new Actions(page, api);
  const canvas = h("canvas", { "aria-hidden": "true" });
  const surface = h("div", { class: "surface", tabindex: "0", role: "application", "aria-label": LABEL }, canvas);
  // One canvas for map and overlay: where the browser draws in software, handing over a second one of the size of the
  // window costs more per frame than drawing the map.
  const context = canvas.getContext("2d", { alpha: false });
  const mask = new MaskTools(page, MASK_COLOUR);
  const regions = new PromptRegions(() => {
    page.panel.describe();
    page.redraw();
  });
  const regionTool = new RegionTool(page);
  const files = new MapFiles(page, api);
  const theme = new ThemeChoice(localStorage);
  const earth = new EarthPlace(api, () => page.redrawStatus());
  Object.assign(page, {
    api,
    actions,
    files,
    surface,
    canvas,
    panel: new PanelLink(api, () => page.state, () => mainLabel(page), () => {
      page.editCost.update();
      page.redraw();
    }, () => page.layers.request),
    layers: new SceneLayers(page, api),
    follow: new FollowSlider((follow) => {
      page.settings = { follow };
    }),
    resolution: new ResolutionChoice((metres) => page.actions.setResolution(metres)),
    dice: new SeedDice(() => page.panel.rollSeed()),
    editCost: new EditCost(page),
    notices: new Notices(() => page.redraw()),
    hints: new Hints(page),
    trail: new FrameTrail(),
    map: new MapLayer(context, page.view, (layer, counts) => page.layers.looks.seen(layer, counts)),
    overlay: new OverlayLayer(context, page.view),
    mask,
    maskBar: new MaskBar(page, mask, actions),
    regions,
    regionTool,
    measure: new MeasureTool(page),
    regionBar: new RegionBar(regions, regionTool),
    ring: new BrushRing(),
    staging: new Staging(page),
    history: new HistoryPanel({
      look: (step) => actions.look(step.rect),
      go: (step) => actions.go(step),
      reuse: (step) => actions.reuse(step),
      model: (fingerprint) => page.state.model.names?.[fingerprint] ?? `model ${fingerprint}`,
    }),
    pointer: new PointerTools(surface, page),
    markers: new Markers({
      extend: (direction, count) => actions.extend(direction, count),
      hover: (direction) => page.showGhost(direction),
      cancel: (job) => actions.cancel(job),
    }),
    rail: new ToolRail(
      (tool) => page.chooseTool(tool),
      (factor) => page.zoom(factor),
      () => page.fit(),
    ),
    finder: new Finder(page, api),
    earth,
    status: new StatusBar(
      earth,
      () => actions.goTo(),
      () => page.actualSize(),
    ),
    queue: new QueueList({
      cancel: (id) => actions.cancel(id),
      retry: (id) => actions.retry(id),
      move: (id, position) => actions.move(id, position),
      dismiss: (id) => page.apply("dismissed", { id }),
      download: (id) => actions.download(`/exports/${id}`),
      look: (frame) => actions.look(frame),
    }),
    models: new ModelPicker(page, api),
    theme,
    bar: new TopBar(theme, {
      menu: () => sceneMenu(page, actions, files),
      undo: () => page.undo(),
      redo: () => page.redo(),
      goTo: () => actions.goTo(),
      share: () => actions.share(),
      importPicture: () => files.pick(),
      exportMap: () => files.export(),
      help: () => actions.help(),
      panel: () => page.togglePanel(),
    }),
  });
  page.rail.node.append(page.finder.button);
  const { finder, layers, markers, ring, staging, hints, bar, rail, maskBar, regionBar, notices, status } = page;
  return [surface, ring, finder.outlines, markers, layers.swipe, finder, staging, hints, bar, rail, maskBar, regionBar, notices, status].map((part) => ("node" in part ? part.node : part));
}
