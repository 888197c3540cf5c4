/** Modal dialogs on the browser's own <dialog>: it traps focus, closes on Escape and gives focus back. */
import { h, iconButton } from "../page/dom.mjs";

/**
 * @param {HTMLElement} host @param {string} title @param {...(Node|string)} content
 * @returns {HTMLDialogElement} shown; removed from the page when closed
 */
export function open(host, title, ...content) {
  const dialog = h("dialog", { class: "dialog", "aria-label": title });
  dialog.append(
    h("header", {}, h("h2", {}, title), iconButton("close", "Close", () => dialog.close(), "Esc")),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  host.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @returns {Promise<boolean>} whether the question was answered with yes */
export function confirm(host, title, text, yes, dangerous = false) {
  return new Promise((resolve) => {
    const button = h("button", { type: "button", class: dangerous ? "danger" : "primary" }, yes);
    const no = h("button", { type: "button" }, "Cancel");
    const dialog = open(host, title, h("p", {}, text), h("footer", {}, no, button));
    let answer = false;
    button.addEventListener("click", () => {
      answer = true;
      dialog.close();
    });
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(answer));
    no.focus();
  });
}

/**
 * Ask for one line of text.
 * @param {HTMLElement} host
 * @param {{title: string, label: string, value?: string, yes: string, check?: (text: string) => string|null}} question
 *   `check` returns the complaint, null when the text is good
 * @returns {Promise<string|null>} null when the dialog was left
 */
export function ask(host, { title, label, value = "", yes, check = () => null }) {
  return new Promise((resolve) => {
    const complaint = h("p", { class: "complaint", role: "alert" });
    const input = h("input", { type: "text", value, "aria-label": label, maxlength: 200, autocomplete: "off" });
    const form = h(
      "form",
      { method: "dialog" },
      h("label", {}, h("span", {}, label), input),
      complaint,
      h("footer", {}, h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", { type: "submit", class: "primary" }, yes)),
    );
    let answer = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const wrong = check(input.value);
      complaint.textContent = wrong ?? "";
      if (wrong) return;
      answer = input.value.trim();
      dialog.close();
    });
    const dialog = open(host, title, form);
    dialog.addEventListener("close", () => resolve(answer));
    input.select();
  });
}

/** The browser's own dialog for a file. @param {string} accept kinds to offer @param {(file: File) => void} take */
export function pickFile(accept, take) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = accept;
  input.addEventListener("change", () => input.files.length && take(input.files[0]));
  input.click();
}
