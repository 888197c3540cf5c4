/** What the page is made of: `assemble` fills the fields, and whoever is given the page may use them. */

export class PageParts extends HTMLElement {
  /** @type {import("./scene/transport.mjs").Api} */ api;
  /** @type {import("./actions.mjs").Actions} */ actions;
  /** @type {import("./dialogs/map-files.mjs").MapFiles} */ files;
  /** @type {HTMLElement} what takes the pointer and the keys */ surface;
  /** @type {HTMLCanvasElement} */ canvas;
  /** @type {import("./panel/panel-link.mjs").PanelLink} */ panel;
  /** @type {import("./panel/follow-slider.mjs").FollowSlider} */ follow;
  /** @type {import("./panel/resolution-choice.mjs").ResolutionChoice} */ resolution;
  /** @type {import("./panel/seed-dice.mjs").SeedDice} */ dice;
  /** @type {import("./mask/edit-cost.mjs").EditCost} */ editCost;
  /** @type {import("./page/notices.mjs").Notices} */ notices;
  /** @type {import("./page/hints.mjs").Hints} */ hints;
  /** @type {import("./scene/frame-trail.mjs").FrameTrail} */ trail;
  /** @type {import("./map/map-layer.mjs").MapLayer} */ map;
  /** @type {import("./map/overlay-layer.mjs").OverlayLayer} */ overlay;
  /** @type {import("./mask/mask-tools.mjs").MaskTools} */ mask;
  /** @type {import("./mask/mask-bar.mjs").MaskBar} */ maskBar;
  /** @type {import("./regions/prompt-regions.mjs").PromptRegions} */ regions;
  /** @type {import("./regions/region-tool.mjs").RegionTool} */ regionTool;
  /** @type {import("./regions/region-bar.mjs").RegionBar} */ regionBar;
  /** @type {import("./tools/measure-tool.mjs").MeasureTool} */ measure;
  /** @type {import("./mask/brush-ring.mjs").BrushRing} */ ring;
  /** @type {import("./map/staging.mjs").Staging} */ staging;
  /** @type {import("./layers/scene-layers.mjs").SceneLayers} */ layers;
  /** @type {import("./panel/history-panel.mjs").HistoryPanel} */ history;
  /** @type {import("./tools/pointer-tools.mjs").PointerTools} */ pointer;
  /** @type {import("./map/markers.mjs").Markers} */ markers;
  /** @type {import("./tools/tool-rail.mjs").ToolRail} */ rail;
  /** @type {import("./find/finder.mjs").Finder} */ finder;
  /** @type {import("./page/earth-place.mjs").EarthPlace} */ earth;
  /** @type {import("./page/status-bar.mjs").StatusBar} */ status;
  /** @type {import("./panel/panel-slots.mjs").QueueList} */ queue;
  /** @type {import("./model/model-picker.mjs").ModelPicker} */ models;
  /** @type {import("./page/theme-choice.mjs").ThemeChoice} */ theme;
  /** @type {import("./page/top-bar.mjs").TopBar} */ bar;
}
