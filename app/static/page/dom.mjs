/** Small helpers to build the page's own elements. Text always goes in as text, never as markup. */

/**
 * A node of a list that `keyed` keeps.
 * @template T @typedef {HTMLElement & {update: (item: T) => void}} Row
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} attributes `on*` are listeners, booleans toggle, others are set
 * @param {...(Node|string|null|undefined|false)} children @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else if (value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const PATHS = {
  select: "M5 3l12 7-5.4 1.3L9 16.5z",
  frame: "M4 7V4h3M13 4h3v3M16 13v3h-3M7 16H4v-3M10 7.5v5M7.5 10h5",
  erase: "M4 7V4h3M9 4h2M13 4h3v3M16 9v2M16 13v3h-3M11 16H9M7 16H4v-3M4 11V9M7.8 7.8l4.4 4.4M12.2 7.8l-4.4 4.4",
  brush: "M16 3.8c-3.6 1.7-6.4 4.6-7.8 7M8.2 10.8c-1.8-.3-3 .8-3.2 2.4-.1 1.4-.8 2.2-1.8 2.6 2.4 1 6.4.4 6.8-2.4.2-1.2-.6-2.3-1.8-2.6z",
  eraser: "M12 4.2l4.3 4.3-7 7H6.2l-2.6-2.6zM8.2 8l4.3 4.3M9.5 15.5H16",
  lasso: "M10 4c3.9 0 7 1.9 7 4.4s-3.1 4.4-7 4.4c-1 0-2-.1-2.8-.4M5 11.4C3.8 10.6 3 9.6 3 8.4 3 5.9 6.1 4 10 4M5.8 13.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM5.8 13.6c.4 1.4-.3 2.4-1.6 2.9",
  rectangle: "M4 5.5h12v9H4z",
  polygon: "M4 8.5L10.5 4 16.5 8l-2.5 8H6z",
  regions: "M3.5 4.5h6v11h-6zM9.5 4.5h7v5h-7zM9.5 9.5h7v6h-7M6.5 10h.01M13 7h.01M13 12.5h.01",
  measure: "M3.5 13L13 3.5l3.5 3.5L7 16.5zM6 10.5l1.5 1.5M8.5 8l2.2 2.2M11 5.5l1.5 1.5",
  left: "M12 5.5L7.5 10l4.5 4.5",
  right: "M8 5.5l4.5 4.5L8 14.5",
  hand: "M6.5 10.5V6a1.2 1.2 0 0 1 2.4 0v3M8.9 8.6V4.6a1.2 1.2 0 0 1 2.4 0v4M11.3 8.8V5.5a1.2 1.2 0 0 1 2.4 0v6c0 3-1.7 5-4.4 5-2 0-3-.9-4-2.6L3.9 11a1.2 1.2 0 0 1 2-1.2l.9 1.3",
  undo: "M7 5L3.5 8.5 7 12M4 8.5h7.5a4 4 0 0 1 0 8H8",
  redo: "M13 5l3.5 3.5L13 12M16 8.5H8.5a4 4 0 0 0 0 8H12",
  eye: "M2.8 10S5.4 5.5 10 5.5 17.2 10 17.2 10 14.6 14.5 10 14.5 2.8 10 2.8 10zM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  eyeOff: "M4 9.5c1.4 1.9 3.5 3.2 6 3.2s4.6-1.3 6-3.2M5.4 11.8L4.2 13.4M14.6 11.8l1.2 1.6M10 12.7v2",
  swipe: "M10 3v14M3.5 5.5h4M3.5 14.5h4M3.5 5.5v9M12.5 5.5h4v9h-4M7.3 10H5.2M5.2 10l1-1M5.2 10l1 1",
  turn: "M4 8h11l-2.5-2.5M16 12H5l2.5 2.5",
  tune: "M4 6.5h6M14 6.5h2M4 13.5h2M10 13.5h6M12 4.8a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4zM8 11.8a1.7 1.7 0 1 1 0 3.4 1.7 1.7 0 0 1 0-3.4z",
  fit: "M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4",
  plus: "M10 4.5v11M4.5 10h11",
  minus: "M4.5 10h11",
  close: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  down: "M5.5 8l4.5 4.5L14.5 8",
  up: "M5.5 12L10 7.5l4.5 4.5",
  retry: "M15.5 10a5.5 5.5 0 1 1-1.7-4M14.5 2.8v3.4h-3.4",
  export: "M10 3.5v8.5M6.5 8.7L10 12.2l3.5-3.5M4 13v3h12v-3",
  import: "M10 12.5V4M6.5 7.3L10 3.8l3.5 3.5M4 13v3h12v-3",
  panel: "M3.5 4.5h13v11h-13zM12 4.5v11",
  help: "M7.6 7.6A2.5 2.5 0 0 1 12.5 8c0 1.7-2.4 2-2.4 3.6M10.1 14.4v.2",
  target: "M10 3v4M10 13v4M3 10h4M13 10h4M10 10h.01",
  find: "M8.8 14.1a5.3 5.3 0 1 0 0-10.6 5.3 5.3 0 0 0 0 10.6zM12.7 12.7l3.8 3.8",
  share: "M8.3 11.7a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2l-1 1M11.7 8.3a3 3 0 0 0-4.2 0l-3 3a3 3 0 0 0 4.2 4.2l1-1",
  dice: "M4.5 4.5h11v11h-11zM7.5 7.5h.01M12.5 7.5h.01M10 10h.01M7.5 12.5h.01M12.5 12.5h.01",
  pencil: "M4 16l.8-3.4L13.5 4l2.5 2.5-8.6 8.7zM11.8 5.7l2.5 2.5",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  trash: "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.7 8.8v4.5M11.3 8.8v4.5",
  system: "M10 4a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM10 4v12M10 6.5h2.4M10 9h3.6M10 11.5h3.3",
  sun: "M10 7a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM10 2.8v1.6M10 15.6v1.6M2.8 10h1.6M15.6 10h1.6M4.9 4.9L6 6M14 14l1.1 1.1M4.9 15.1L6 14M14 6l1.1-1.1",
  moon: "M15.8 12.1A6.3 6.3 0 0 1 7.9 4.2a6.3 6.3 0 1 0 7.9 7.9z",
  reuse: "M4 10h9M9.5 6L13.5 10l-4 4M16.5 5v10",
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name @returns {SVGSVGElement} a 20x20 line icon, hidden from screen readers */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/**
 * An icon button with its name as label and tooltip.
 * @param {IconName} name @param {string} label @param {(event: MouseEvent) => void} onclick @param {string} key shortcut shown in the tooltip
 */
export function iconButton(name, label, onclick, key = "") {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: key ? `${label} (${key})` : label, onclick },
    icon(name),
  );
}

/** Set text only when it differs: untouched nodes cost no layout. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Keep a container's children equal to a keyed list, reusing nodes so that focus and clicks survive updates.
 * @template T
 * @param {Element} container with rows alone @param {T[]} items @param {(item: T) => string} keyOf
 * @param {(item: T) => Row<T>} create
 */
export function keyed(container, items, keyOf, create) {
  const rows = /** @type {Row<T>[]} */ ([...container.children]);
  const old = new Map(rows.map((node) => [node.dataset.key, node]));
  let place = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    if (node) old.delete(key);
    else {
      node = create(item);
      node.dataset.key = key;
    }
    if (node === place) place = place.nextElementSibling;
    else container.insertBefore(node, place);
    node.update(item);
  }
  for (const node of old.values()) node.remove();
}
