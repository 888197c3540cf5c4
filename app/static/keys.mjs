/** Keyboard shortcuts: one table, used by the handler and by the ? sheet. Pure. */

/** @typedef {{command: string, keys: string, label: string, group: string}} Shortcut */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { command: "tool-select", keys: "V", label: "Select: drag the frame, drag the map", group: "Tools" },
  { command: "tool-frame", keys: "F", label: "Frame: click or drag a new place", group: "Tools" },
  { command: "tool-erase", keys: "E", label: "Erase: drag a region to empty", group: "Tools" },
  { command: "tool-hand", keys: "H", label: "Hand (or hold Space, or middle button)", group: "Tools" },
  { command: "generate", keys: "Ctrl+Enter", label: "Generate in the frame", group: "Grow" },
  { command: "extend", keys: "Alt+Arrow", label: "Extend in that direction", group: "Grow" },
  { command: "nudge", keys: "Arrow", label: "Move the frame 8 px; Shift: half a window", group: "Grow" },
  { command: "undo", keys: "Ctrl+Z", label: "Undo (also Z)", group: "Edit" },
  { command: "redo", keys: "Ctrl+Shift+Z", label: "Redo (also Shift+Z, Ctrl+Y)", group: "Edit" },
  { command: "cancel", keys: "Escape", label: "Close a dialog, or drop what you drag", group: "Edit" },
  { command: "zoom-in", keys: "+", label: "Zoom in", group: "View" },
  { command: "zoom-out", keys: "-", label: "Zoom out", group: "View" },
  { command: "fit", keys: "0", label: "Fit to content", group: "View" },
  { command: "actual", keys: "1", label: "100 %", group: "View" },
  { command: "goto", keys: "G", label: "Go to a coordinate", group: "View" },
  { command: "panel", keys: "P", label: "Show or hide the panel", group: "View" },
  { command: "help", keys: "?", label: "This sheet", group: "View" },
];

const PLAIN = {
  v: "tool-select", f: "tool-frame", e: "tool-erase", h: "tool-hand", z: "undo", g: "goto", p: "panel",
  "?": "help", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", _: "zoom-out", 0: "fit", 1: "actual",
};
const ARROWS = { ArrowUp: "up", ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left" };

/**
 * The command a key press means.
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean, shiftKey?: boolean}} event
 * @param {boolean} typing whether a text field has the focus
 * @returns {{command: string, direction?: string, big?: boolean}|null}
 */
export function commandOf(event, typing) {
  const control = Boolean(event.ctrlKey || event.metaKey);
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (control && key === "Enter") return { command: "generate" };
  if (key === "Escape") return { command: "cancel" };
  if (typing) return null;
  if (control) {
    if (key === "z") return { command: event.shiftKey ? "redo" : "undo" };
    if (key === "y") return { command: "redo" };
    return null;
  }
  const direction = ARROWS[key];
  if (direction) {
    return event.altKey ? { command: "extend", direction } : { command: "nudge", direction, big: Boolean(event.shiftKey) };
  }
  if (event.altKey) return null;
  if (key === "z" && event.shiftKey) return { command: "redo" };
  const command = PLAIN[key];
  return command ? { command } : null;
}

/**
 * A coordinate as people type it: "1200, -340", "1200 -340 m", "x 1.2km y -3".
 * @param {string} text @returns {{x: number, y: number}|null} metres
 */
export function parseCoordinate(text) {
  const numbers = [...text.matchAll(/([+-]?\d+(?:\.\d+)?)\s*(km|m)?/gi)];
  const rest = text.replace(/[+-]?\d+(?:\.\d+)?\s*(km|m)?/gi, "").replace(/[xy:=,;\s]/gi, "");
  if (numbers.length !== 2 || rest) return null;
  const [x, y] = numbers.map(([, number, unit]) => Number(number) * (unit?.toLowerCase() === "km" ? 1000 : 1));
  return Math.abs(x) <= 1e9 && Math.abs(y) <= 1e9 ? { x, y } : null;
}
