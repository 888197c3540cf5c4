/** One row under review: its image, its caption, what the audit and a person said, and the forms to say it. */
import { h } from "../page/dom.mjs";
import { imageOf } from "./rows.mjs";

/** @typedef {import("./rows.mjs").Row} Row @typedef {import("./rows.mjs").Verdict} Verdict */

const REASONS = ["names what is not there", "leaves out the main thing", "wrong place in the image", "too vague"];

/** @param {Row} row @param {boolean} images @param {Record<string, string>} legend class: colour @returns {HTMLElement[]} image and words */
export function card(row, images, legend) {
  const picture = h("div", { class: "picture" });
  const gone = () => picture.replaceChildren(h("p", {}, "The image is not there any more."));
  if (images) picture.append(h("img", { src: imageOf(row), alt: "What the caption describes", onerror: gone }));
  else gone();
  const place = Object.entries(row.keys).map(([name, value]) => `${name} ${value}`).join(", ");
  const words = h(
    "div",
    { class: "words" },
    h(
      "p",
      { class: "place" },
      place,
      row.state === "doubtful" && h("span", { class: "badge bad" }, "doubtful"),
      row.verdict && h("span", { class: "badge" }, row.verdict),
    ),
    h("p", { class: "caption" }, row.caption || "There are no words."),
    row.faults.length > 0 && h("ul", { class: "faults", "aria-label": "Found by the audit" }, ...row.faults.map((fault) => h("li", {}, fault))),
    row.remark && h("p", { class: "remark" }, row.remark),
    h("div", { class: "form", hidden: true }),
    row.told && h("div", { class: "told" }, h("b", {}, "What the model was told"), row.told),
  );
  const colours = Object.entries(legend).map(([name, colour]) => h("li", {}, h("i", { style: `background: ${colour}` }), name));
  return [h("div", { class: "seen" }, picture, colours.length > 0 && h("ul", { class: "legend", "aria-label": "Colours" }, ...colours)), words];
}

/** @param {Row} row @param {(verdict: Verdict) => void} save @param {() => void} cancel @returns {HTMLElement[]} */
export function correction(row, save, cancel) {
  const text = h("textarea", { "aria-label": "Better caption", spellcheck: "true" });
  text.value = row.caption;
  const done = () => save({ verdict: "corrected", caption: text.value });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done();
  });
  return [text, buttons("Save", done, cancel)];
}

/** @param {Row} row @param {(verdict: Verdict) => void} save @param {() => void} cancel @returns {HTMLElement[]} */
export function rejection(row, save, cancel) {
  const text = h("input", { "aria-label": "What is wrong; the model is told", placeholder: "What is wrong; the model is told", list: "reasons", maxlength: 2000 });
  text.value = row.remark;
  const done = () => save({ verdict: "rejected", remark: text.value });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter") done();
  });
  const reasons = h("datalist", { id: "reasons" }, ...REASONS.map((reason) => h("option", { value: reason })));
  return [text, reasons, buttons("Reject", done, cancel)];
}

/** @param {string} label @param {() => void} done @param {() => void} cancel */
function buttons(label, done, cancel) {
  return h(
    "div",
    { class: "row" },
    h("button", { type: "button", class: "primary", onclick: done }, label),
    h("button", { type: "button", onclick: cancel }, "Cancel"),
  );
}
