/** Key presses to actions. The table of keys is in keys.mjs. */
import { DIRECTIONS } from "../geometry/frames.mjs";
import { commandOf } from "./keys.mjs";
import { NAMES } from "../layers/layers.mjs";

/** What a key that is held down does not do again. */
const ONCE = new Set(["generate", "accept", "discard"]);
const OF_WIDGETS = new Set(["accept", "next", "close-polygon", "corner-back"]);

/** @param {import("../scene-canvas.mjs").Page} page @param {AbortSignal} signal ends the listening */
export function bindKeys(page, signal) {
  const commands = {
    "tool-select": () => page.chooseTool("select"),
    "tool-frame": () => page.chooseTool("frame"),
    "tool-brush": () => page.chooseTool("brush"),
    "tool-eraser": () => page.chooseTool("eraser"),
    "tool-swap": () => page.chooseTool(page.pointer.tool === "brush" ? "eraser" : "brush"),
    "tool-lasso": () => page.chooseTool("lasso"),
    "tool-rectangle": () => page.chooseTool("rectangle"),
    "brush-smaller": () => page.mask.resize(0.8),
    "brush-larger": () => page.mask.resize(1.25),
    "tool-regions": () => page.chooseTool("regions"),
    "tool-measure": () => page.chooseTool("measure"),
    "tool-erase": () => page.chooseTool("erase"),
    "tool-hand": () => page.chooseTool("hand"),
    generate: () => page.generate(),
    prompt: () => page.actions.writePrompt(),
    extend: ({ direction }) => page.actions.extend(direction),
    nudge: ({ direction, big }) => page.actions.nudge(DIRECTIONS[direction], big),
    undo: () => page.undo(),
    redo: () => page.redo(),
    "close-polygon": () => page.regionTool.finish() || page.measure.finish(),
    "corner-back": () => (page.pointer.tool === "measure" ? page.measure : page.regionTool).back(),
    ...Object.fromEntries(NAMES.map((layer) => [`layer-${layer}`, () => page.layers.choose(layer)])),
    swipe: () => page.layers.toggleSwipe(),
    cancel: () => {
      const busy = page.pointer.dragging || page.regionTool.draft || page.measure.drawn;
      if (!busy) page.layers.endSwipe();
      page.pointer.abandon();
      page.regionTool.drop();
      page.measure.drop();
    },
    next: ({ by }) => page.staging.step(by),
    before: () => page.staging.show(true),
    accept: () => page.staging.accept(),
    discard: () => page.staging.discard(),
    "zoom-in": () => page.zoom(1.25),
    "zoom-out": () => page.zoom(0.8),
    fit: () => page.fit(),
    actual: () => page.actualSize(),
    goto: () => page.actions.goTo(),
    find: () => page.finder.toggle(),
    panel: () => page.togglePanel(),
    help: () => page.actions.help(),
  };
  addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const focus = document.activeElement;
      const typing = isTextField(focus);
      const slider = focus instanceof HTMLInputElement && (focus.type === "range" || focus.type === "radio");
      const widget = slider || (!page.contains(focus) && focus !== document.body);
      if (event.key === " " && !typing && (focus === page.surface || focus === document.body)) {
        page.pointer.held = true;
        page.surface.dataset.cursor = "grab";
        event.preventDefault();
        return;
      }
      // While a drag is under way Escape is for the drag, not for the candidates.
      const command = commandOf(event, typing, page.staging.open && !page.pointer.dragging);
      if (!command || (event.repeat && ONCE.has(command.command))) return;
      // Enter and the arrows belong to the button or slider that has the focus.
      if (OF_WIDGETS.has(command.command) && focus !== page.surface && focus !== document.body) return;
      // Arrow keys belong to sliders and radio buttons while those have the focus.
      if (widget && (command.command === "nudge" || command.command === "extend")) return;
      if (command.command !== "cancel") event.preventDefault();
      commands[command.command](command);
    },
    { signal },
  );
  const release = () => {
    page.pointer.held = false;
  };
  addEventListener("keyup", (event) => {
    if (event.key === " ") release();
    if (event.key.toLowerCase() === "b") page.staging.show(false);
  }, { signal });
  addEventListener("blur", release, { signal });
}

/** @param {Element|null} element */
function isTextField(element) {
  if (element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement) return true;
  if (element instanceof HTMLElement && element.isContentEditable) return true;
  return element instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(element.type);
}
