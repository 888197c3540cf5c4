/** The scene menu's dialogs: rename, delete, go to, shortcuts. Each resolves with what was chosen. */
import { ask, confirm, open } from "./dialogs.mjs";
import { h } from "../page/dom.mjs";
import { SHORTCUTS, parseCoordinate } from "../tools/keys.mjs";

/** @param {HTMLElement} host @param {string} title @returns {Promise<string|null>} */
export function askTitle(host, title) {
  const check = (text) => (text.trim() ? null : "The scene needs a name: type one.");
  return ask(host, { title: "Rename scene", label: "Name", value: title, yes: "Rename", check });
}

/** @param {HTMLElement} host @param {string} title @returns {Promise<boolean>} */
export function confirmDelete(host, title) {
  return confirm(host, "Delete scene", `Delete “${title}”? Its file is moved to the trash folder of the data directory.`, "Delete", true);
}

/** @param {HTMLElement} host @param {string} label what the two numbers are @param {string} current @returns {Promise<{x: number, y: number}|null>} */
export async function askCoordinate(host, label, current) {
  const check = (text) => (parseCoordinate(text) ? null : "Type two numbers, such as 1200, -340.");
  const text = await ask(host, { title: "Go to", label, value: current, yes: "Go", check });
  return text === null ? null : parseCoordinate(text);
}

/** @param {HTMLElement} host */
export function showShortcuts(host) {
  const groups = [...new Set(SHORTCUTS.map((shortcut) => shortcut.group))];
  const sections = groups.map((group) =>
    h(
      "section",
      {},
      h("h3", {}, group),
      h(
        "dl",
        {},
        ...SHORTCUTS.filter((shortcut) => shortcut.group === group).map((shortcut) =>
          h("div", {}, h("dt", {}, h("kbd", {}, shortcut.keys)), h("dd", {}, shortcut.label)),
        ),
      ),
    ),
  );
  const touch = "Wheel zooms at the pointer. With fingers: two move and zoom the map, one uses the tool.";
  open(host, "Keyboard shortcuts", h("div", { class: "shortcuts" }, ...sections), h("p", { class: "quiet" }, touch));
}
