/**
 * What a resolution means to the eye: one and the same place, a house by a street among fields, pixel for pixel as large as
 * pictures of so many metres per pixel show it. Drawn in metres around the house.
 */

const SVG = "http://www.w3.org/2000/svg";
/** Across the house's roof, east to west. */
const HOUSE_M = 12;

/** Fields and woods: x, y, width, height in metres, colour. @type {[number, number, number, number, string][]} */
const FIELDS = [
  [-600, -600, 1200, 1200, "#7f9a5c"],
  [-600, -600, 330, 260, "#b9a66b"],
  [-262, -600, 260, 150, "#8fae62"],
  [6, -600, 300, 190, "#c4b178"],
  [314, -600, 300, 320, "#6f8f4e"],
  [-600, -332, 190, 280, "#93a765"],
  [-402, -332, 210, 240, "#a8935c"],
  [-184, -440, 240, 330, "#7fa257"],
  [64, -400, 240, 280, "#b5a56e"],
  [314, -270, 300, 330, "#9ab06a"],
  [-600, 60, 230, 240, "#86a35b"],
  [-362, 60, 170, 300, "#bca970"],
  [110, 70, 190, 240, "#8ba65e"],
  [308, 70, 300, 200, "#ab985f"],
  [-600, 310, 400, 300, "#41603a"],
  [-190, 370, 260, 250, "#9db36b"],
  [80, 320, 240, 300, "#3c5a37"],
];
const RIVER = "M-600 190C-330 250-260 380-120 360S60 250 130 420 420 560 620 480";
const STREETS = "M-620 17H620M-92 17V-620M96 17V620";
/** Houses along the street besides the one in the middle: x, y of the corner, width, height in metres, roof. @type {[number, number, number, number, string][]} */
const HOUSES = [
  [-36, -6, 11, 10, "#8d4f3c"],
  [27, -4, 13, 10, "#7b7f86"],
  [52, -5, 10, 9, "#a15f45"],
  [-64, -5, 12, 9, "#7d4637"],
  [-30, 29, 12, 9, "#75787d"],
  [-4, 30, 10, 10, "#9a5a42"],
  [24, 29, 14, 9, "#83493a"],
  [56, 30, 11, 9, "#8b8e93"],
  [-62, 30, 12, 10, "#9f6148"],
];
/** Trees: x, y, radius in metres. @type {[number, number, number][]} */
const TREES = [[-12, 5, 3], [12, -10, 3.6], [-15, -13, 4], [20, 7, 2.6], [-22, 9, 3], [42, -14, 4], [-48, -12, 3.4], [8, 44, 4], [-18, 45, 3.6], [40, 46, 4], [-46, 46, 3.8], [72, -8, 3.4], [-78, 2, 3]];

/** @param {string} name @param {Record<string, string|number>} attributes @returns {SVGElement} */
function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}

/** A gabled roof in the light from above left, with its shadow. @returns {SVGElement[]} */
function house(x, y, width, height, roof) {
  return [
    shape("rect", { x: x + 2, y: y + 2, width, height, fill: "#2c3a24", opacity: 0.55 }),
    shape("rect", { x, y, width, height, fill: roof }),
    shape("rect", { x, y, width, height: height / 2, fill: "#fff", opacity: 0.2 }),
  ];
}

/** @returns {SVGElement[]} */
function tree(x, y, r) {
  return [
    shape("circle", { cx: x + r / 2, cy: y + r / 2, r, fill: "#22301d", opacity: 0.5 }),
    shape("circle", { cx: x, cy: y, r, fill: "#3f6235" }),
    shape("circle", { cx: x - r / 4, cy: y - r / 4, r: r * 0.55, fill: "#5b8048" }),
  ];
}

/** @param {number} metres a pixel @param {number} side of the picture in pixels @returns {string} the part of the place that is seen */
export function seenPart(metres, side) {
  const around = (metres * side) / 2;
  return `${-around} ${-around} ${2 * around} ${2 * around}`;
}

/** @param {number} metres a pixel @param {number} side of the picture in pixels @returns {SVGElement} hidden from screen readers: the number stands beside it */
export function groundPicture(metres, side) {
  const picture = shape("svg", { viewBox: seenPart(metres, side), width: side, height: side, class: "ground", "aria-hidden": "true" });
  for (const [x, y, width, height, fill] of FIELDS) picture.append(shape("rect", { x, y, width, height, fill }));
  picture.append(shape("path", { d: RIVER, fill: "none", stroke: "#47697a", "stroke-width": 34 }));
  picture.append(shape("path", { d: STREETS, fill: "none", stroke: "#b4b1aa", "stroke-width": 6 }));
  picture.append(shape("path", { d: "M2 5V14", fill: "none", stroke: "#c9c3b8", "stroke-width": 2.4 }));
  const [shadow, roof, light] = house(-HOUSE_M / 2, -5, HOUSE_M, 10, "#a4553c");
  roof.setAttribute("data-house", "");
  picture.append(shadow, roof, light, ...HOUSES.flatMap((one) => house(...one)));
  picture.append(...TREES.flatMap((one) => tree(...one)));
  return picture;
}
