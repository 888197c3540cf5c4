/** Keyboard shortcuts: one table, used by the handler and by the ? sheet. Pure. */

/** @typedef {{command: string, keys: string, label: string, group: string}} Shortcut */

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { command: "tool-select", keys: "V", label: "Select: drag the frame, drag the map", group: "Tools" },
  { command: "tool-frame", keys: "F", label: "Frame: click or drag a new place", group: "Tools" },
  { command: "tool-brush", keys: "B", label: "Brush: paint what shall change", group: "Tools" },
  { command: "tool-eraser", keys: "E", label: "Eraser: take from the mask", group: "Tools" },
  { command: "tool-swap", keys: "X", label: "Change between brush and eraser", group: "Tools" },
  { command: "tool-lasso", keys: "L", label: "Lasso (Alt: take away)", group: "Tools" },
  { command: "tool-rectangle", keys: "R", label: "Rectangle (Alt: take away)", group: "Tools" },
  { command: "brush-smaller", keys: "[", label: "Smaller brush", group: "Tools" },
  { command: "brush-larger", keys: "]", label: "Larger brush", group: "Tools" },
  { command: "tool-regions", keys: "M", label: "Regions: draw where the prompt holds, then fill", group: "Tools" },
  { command: "close-polygon", keys: "Enter", label: "Close the polygon of a region, end a measured way", group: "Tools" },
  { command: "corner-back", keys: "Backspace", label: "Take the last corner or point back", group: "Tools" },
  { command: "tool-measure", keys: "U", label: "Measure: click along a way, or around an area", group: "Tools" },
  { command: "tool-erase", keys: "D", label: "Erase: drag a region to empty", group: "Tools" },
  { command: "tool-hand", keys: "H", label: "Hand (or hold Space, or middle button)", group: "Tools" },
  { command: "generate", keys: "Ctrl+Enter", label: "Generate in the frame, change what is under the mask, or fill the regions", group: "Grow" },
  { command: "prompt", keys: "/", label: "Write the prompt", group: "Grow" },
  { command: "extend", keys: "Alt+Arrow", label: "Extend in that direction", group: "Grow" },
  { command: "nudge", keys: "Arrow", label: "Move the frame 8 px; Shift: half a window", group: "Grow" },
  { command: "undo", keys: "Ctrl+Z", label: "Undo (also Z); while a mask is drawn, its strokes", group: "Edit" },
  { command: "redo", keys: "Ctrl+Shift+Z", label: "Redo (also Shift+Z, Ctrl+Y)", group: "Edit" },
  { command: "cancel", keys: "Escape", label: "Close a dialog, or drop what you drag", group: "Edit" },
  { command: "next", keys: "Arrow", label: "Candidates: the next, the one before", group: "Candidates" },
  { command: "before", keys: "B", label: "Candidates: hold to see what was there", group: "Candidates" },
  { command: "accept", keys: "Enter", label: "Candidates: accept this one", group: "Candidates" },
  { command: "discard", keys: "Escape", label: "Candidates: discard all", group: "Candidates" },
  { command: "layer-rgb", keys: "2", label: "Work in the layer RGB", group: "Layers" },
  { command: "layer-pan", keys: "3", label: "Work in the layer PAN", group: "Layers" },
  { command: "layer-nir", keys: "4", label: "Work in the layer NIR", group: "Layers" },
  { command: "layer-sar", keys: "5", label: "Work in the layer SAR", group: "Layers" },
  { command: "swipe", keys: "S", label: "Compare two layers: arrow keys move the line, Escape ends", group: "Layers" },
  { command: "zoom-in", keys: "+", label: "Zoom in", group: "View" },
  { command: "zoom-out", keys: "-", label: "Zoom out", group: "View" },
  { command: "fit", keys: "0", label: "Fit to content", group: "View" },
  { command: "actual", keys: "1", label: "100 %", group: "View" },
  { command: "goto", keys: "G", label: "Go to a coordinate", group: "View" },
  { command: "find", keys: "Q", label: "Find places that fit a text", group: "View" },
  { command: "panel", keys: "P", label: "Show or hide the panel", group: "View" },
  { command: "help", keys: "?", label: "This sheet", group: "View" },
];

const PLAIN = {
  v: "tool-select", f: "tool-frame", b: "tool-brush", e: "tool-eraser", x: "tool-swap", l: "tool-lasso", r: "tool-rectangle",
  m: "tool-regions", u: "tool-measure", d: "tool-erase", h: "tool-hand", "[": "brush-smaller", "]": "brush-larger", z: "undo", g: "goto", q: "find", p: "panel",
  Enter: "close-polygon", Backspace: "corner-back", "?": "help", "/": "prompt", "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", _: "zoom-out", 0: "fit", 1: "actual",
  2: "layer-rgb", 3: "layer-pan", 4: "layer-nir", 5: "layer-sar", s: "swipe",
};
/** While candidates are shown these keys are theirs. */
const CHOOSING = {
  ArrowRight: { command: "next", by: 1 }, ArrowLeft: { command: "next", by: -1 }, b: { command: "before" },
  Enter: { command: "accept" }, Escape: { command: "discard" },
};
const ARROWS = { ArrowUp: "up", ArrowRight: "right", ArrowDown: "down", ArrowLeft: "left" };

/**
 * The command a key press means.
 * @param {{key: string, ctrlKey?: boolean, metaKey?: boolean, altKey?: boolean, shiftKey?: boolean}} event
 * @param {boolean} typing whether a text field has the focus @param {boolean} choosing whether candidates are shown
 * @returns {{command: string, direction?: string, big?: boolean}|null}
 */
export function commandOf(event, typing, choosing = false) {
  const control = Boolean(event.ctrlKey || event.metaKey);
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (control && key === "Enter") return { command: "generate" };
  if (choosing && !typing && !control && !event.altKey && CHOOSING[key]) return { ...CHOOSING[key] };
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
