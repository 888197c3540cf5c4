/**
 * Asks which layer to make from which other, where, and what is there; the server makes it with the model's translator.
 * @typedef {{name: string, source: string, target: string, finer: number, title: string}} Translation as the server tells
 */
import { open } from "../dialogs/dialogs.mjs";
import { fromXYWH, isCovered } from "../geometry/rect.mjs";
import { h } from "../page/dom.mjs";
import { titleOf } from "./layers.mjs";

const NONE = "This model has no translator: train one with `text2earth train translator --start MODEL --out MODEL/translator`, and start again.";

const KEEPS = "What the layer has already stays, and undo takes back what is made.";
const REPLACES = "The layer is replaced there; undo brings it back as it was.";

/** Whether what is made takes the place of what it was made from. @param {Translation} one */
const isInPlace = ({ source, target }) => source === target;

/** What can be made in this scene: layers whose pixels are as large. @param {import("../scene/store.mjs").Model} model @param {string[]} there layers that hold something @returns {Translation[]} */
export function possible(model, there) {
  return (model.translations ?? []).filter(({ source, finer }) => finer === 1 && there.includes(source));
}

/**
 * First what makes something: where the target lies around all of the source, it is most likely there already. The first is proposed.
 * @param {Translation[]} translations @param {Record<string, [number, number, number, number]>} bounds x, y, w, h of what layers hold @returns {Translation[]}
 */
export function newFirst(translations, bounds) {
  const covered = ({ source, target }) => isCovered(fromXYWH(bounds[source]), bounds[target] ? [fromXYWH(bounds[target])] : []);
  return [...translations.filter((one) => !covered(one)), ...translations.filter(covered)];
}

/** Why nothing can be made; null where something can. @param {import("../scene/store.mjs").Model} model @param {string[]} there */
export function whyNoneMade(model, there) {
  if (!there.length) return "There is no layer yet to make another from: make or import something first.";
  if (model.state !== "ready") return "The model is not loaded yet.";
  if (!model.translations?.length) return NONE;
  return possible(model, there).length ? null : `The model's translator makes nothing of ${there.map(titleOf).join(", ")}.`;
}

/** @param {string} name @param {{value: string, label: string, about: string}[]} choices the first is chosen */
function radios(name, choices) {
  return choices.map(({ value, label, about }, n) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked: n === 0 }), h("b", {}, label), h("small", {}, about)),
  );
}

/**
 * @param {HTMLElement} host @param {Translation[]} translations
 * @param {{name: string, label: string, rect: (source: string) => import("../geometry/rect.mjs").Rect|null}[]} places
 * @param {(wish: {task: Translation, rect: import("../geometry/rect.mjs").Rect, text: string}) => Promise<void>} send throws an error with a sentence
 */
export function translateDialog(host, translations, places, send) {
  const tasks = radios("t2e-task", translations.map((one) => ({
    value: one.name, label: `${titleOf(one.target)} ${isInPlace(one) ? "anew" : `from ${titleOf(one.source)}`}`, about: one.title,
  })));
  const where = radios("t2e-where", places.map(({ name, label }) => ({ value: name, label, about: "" })));
  const text = h("input", { type: "text", autocomplete: "off", maxlength: 500, placeholder: "What is there, where you know it" });
  const complaint = h("p", { class: "complaint", role: "alert" });
  const go = h("button", { type: "submit", class: "primary" }, "Make");
  const outcome = h("p", { class: "quiet", role: "status" });
  const form = h(
    "form",
    { class: "wide" },
    h("fieldset", {}, h("legend", {}, "Layer"), ...tasks),
    h("fieldset", {}, h("legend", {}, "Where"), ...where),
    h("label", {}, h("span", {}, "Prompt (optional)"), text),
    outcome,
    complaint,
    h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), go),
  );
  const chosen = () => translations.find(({ name }) => name === form.elements["t2e-task"].value);
  const tell = () => (outcome.textContent = isInPlace(chosen()) ? REPLACES : KEEPS);
  form.addEventListener("change", tell);
  tell();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const task = chosen();
    const rect = places.find(({ name }) => name === form.elements["t2e-where"].value).rect(task.source);
    go.disabled = true;
    try {
      await send({ task, rect, text: text.value.trim() });
      dialog.close();
    } catch (error) {
      complaint.textContent = error.message;
    } finally {
      go.disabled = false;
    }
  });
  const dialog = open(host, "Make a layer from another", form);
  return dialog;
}
