/** Growing, shrinking and filling of a mask's alpha (row by row, 0 to 255), and adding runs to it. Pure. */

const FAR = 1e9;

/**
 * Squared distance of each pixel to the nearest one that is set (Felzenszwalb and Huttenlocher 2012): exact and round.
 * @param {Uint8Array} set @param {number} w @param {number} h @returns {Float64Array}
 */
export function squaredDistances(set, w, h) {
  const field = Float64Array.from(set, (value) => (value ? 0 : FAR));
  const longest = Math.max(w, h);
  const line = new Float64Array(longest);
  const at = new Int32Array(longest);
  const border = new Float64Array(longest + 1);
  const along = (start, step, length) => {
    for (let n = 0; n < length; n++) line[n] = field[start + n * step];
    let k = 0;
    at[0] = 0;
    border[0] = -Infinity;
    border[1] = Infinity;
    for (let q = 1; q < length; q++) {
      let s = 0;
      do {
        const v = at[k];
        s = (line[q] + q * q - line[v] - v * v) / (2 * (q - v));
      } while (s <= border[k] && --k >= 0);
      k++;
      at[k] = q;
      border[k] = s;
      border[k + 1] = Infinity;
    }
    k = 0;
    for (let q = 0; q < length; q++) {
      while (border[k + 1] < q) k++;
      field[start + q * step] = (q - at[k]) ** 2 + line[at[k]];
    }
  };
  for (let x = 0; x < w; x++) along(x, w, h);
  for (let y = 0; y < h; y++) along(y * w, 1, w);
  return field;
}

/** Grown (or shrunk, below zero) by `by` pixels; what is half set counts as the border. @returns {Uint8ClampedArray} */
export function grown(alpha, w, h, by) {
  const outwards = by > 0;
  const set = Uint8Array.from(alpha, (value) => Number(outwards ? value >= 128 : value < 128));
  const distances = squaredDistances(set, w, h);
  const reach = by * by;
  return alpha.map((value, n) => (distances[n] > reach ? value : outwards ? 255 : 0));
}

/** What the mask surrounds is set too. @returns {Uint8ClampedArray} */
export function filled(alpha, w, h) {
  const outside = new Uint8Array(w * h);
  const stack = [];
  const visit = (n) => {
    if (outside[n] || alpha[n] >= 128) return;
    outside[n] = 1;
    stack.push(n);
  };
  for (let x = 0; x < w; x++) [x, (h - 1) * w + x].forEach(visit);
  for (let y = 0; y < h; y++) [y * w, y * w + w - 1].forEach(visit);
  while (stack.length) {
    const n = stack.pop();
    const x = n % w;
    if (x > 0) visit(n - 1);
    if (x < w - 1) visit(n + 1);
    if (n >= w) visit(n - w);
    if (n < w * (h - 1)) visit(n + w);
  }
  return alpha.map((value, n) => (outside[n] ? value : 255));
}

/** @param {number[]} counts lengths of runs that stay and that are set, in turn @returns {Uint8ClampedArray} */
export function withRuns(alpha, counts) {
  const result = alpha.slice();
  let at = 0;
  counts.forEach((length, n) => {
    if (n % 2) result.fill(255, at, at + length);
    at += length;
  });
  return result;
}
