/** Numbers as people of this field write them. Pure. */

/** Up to three significant digits, without needless zeros. @param {number} value */
export function short(value) {
  if (!Number.isFinite(value)) return "?";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** @param {number} metres */
export function length(metres) {
  return Math.abs(metres) >= 10000 ? `${short(metres / 1000)} km` : `${short(metres)} m`;
}

/** @param {number} metres a coordinate: whole metres, or centimetres below 1 m/px */
export function coordinate(metres, resolution) {
  const digits = resolution < 1 ? 1 : 0;
  return `${(metres + 0).toFixed(digits).replace(/^-(0(?:\.0)?)$/, "$1")} m`;
}

/** @param {number} squareMetres */
export function area(squareMetres) {
  if (squareMetres >= 1e6) return `${short(squareMetres / 1e6)} km²`;
  if (squareMetres >= 1e4) return `${short(squareMetres / 1e4)} ha`;
  return `${short(squareMetres)} m²`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 1) return "< 1 s";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An expectation, no more exact than it is: minutes, then hours, then days. @param {number} seconds */
export function roughly(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 36 * 3600 ? `${short(seconds / 3600)} h` : `${short(seconds / 86400)} days`;
}

/** @param {number} bytes */
export function bytes(bytes) {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${short(bytes / 1e6)} MB` : `${short(bytes / 1e9)} GB`;
}

/** @param {number} resolution m/px */
export function resolution(resolution) {
  return `${short(resolution)} m/px`;
}

/** @param {number} scale CSS pixels per scene pixel */
export function zoom(scale) {
  const percent = scale * 100;
  return `${percent >= 10 ? Math.round(percent) : short(percent)} %`;
}

/**
 * The longest 1-2-5 length that fits.
 * @param {number} metresPerPixel metres per CSS pixel on the screen @param {number} most CSS pixels
 * @returns {{metres: number, pixels: number}}
 */
export function scaleBar(metresPerPixel, most) {
  const room = metresPerPixel * most;
  const power = 10 ** Math.floor(Math.log10(room));
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= room * (1 + 1e-9)) ?? power;
  return { metres, pixels: metres / metresPerPixel };
}

/** Time since, in words. @param {string} iso @param {number} now milliseconds */
export function ago(iso, now) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "yesterday" : `${days} days ago`;
}
