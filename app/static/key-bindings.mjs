/** Key presses to actions. The table of keys is in keys.mjs. */
import { DIRECTIONS } from "./frames.mjs";
import { commandOf } from "./keys.mjs";

/** @param {any} page the scene-canvas element @param {AbortSignal} signal ends the listening */
export function bindKeys(page, signal) {
  const commands = {
    "tool-select": () => page.chooseTool("select"),
    "tool-frame": () => page.chooseTool("frame"),
    "tool-erase": () => page.chooseTool("erase"),
    "tool-hand": () => page.chooseTool("hand"),
    generate: () => page.generate(),
    extend: ({ direction }) => page.actions.extend(direction),
    nudge: ({ direction, big }) => page.actions.nudge(...DIRECTIONS[direction], big),
    undo: () => page.actions.step("undo"),
    redo: () => page.actions.step("redo"),
    cancel: () => page.pointer.abandon(),
    "zoom-in": () => page.moveView(() => page.view.zoomAt(1.25)),
    "zoom-out": () => page.moveView(() => page.view.zoomAt(0.8)),
    fit: () => page.fit(),
    actual: () => page.actualSize(),
    goto: () => page.actions.goTo(),
    panel: () => page.togglePanel(),
    help: () => page.actions.help(),
  };
  addEventListener(
    "keydown",
    (event) => {
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const focus = document.activeElement;
      const typing = isTextField(focus);
      const widget = !page.contains(focus) && focus !== document.body;
      if (event.key === " " && !typing && (focus === page.surface || focus === document.body)) {
        page.pointer.held = true;
        page.surface.dataset.cursor = "grab";
        event.preventDefault();
        return;
      }
      const command = commandOf(event, typing);
      if (!command) return;
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
  addEventListener("keyup", (event) => event.key === " " && release(), { signal });
  addEventListener("blur", release, { signal });
}

/** @param {Element|null} element */
function isTextField(element) {
  if (element instanceof HTMLTextAreaElement) return true;
  if (element instanceof HTMLElement && element.isContentEditable) return true;
  return element instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(element.type);
}
