/** What a fill takes, in words. Pure. */
import * as format from "../page/format.mjs";

/**
 * The question before a large fill.
 * @param {{width: number, height: number, sampler: string, steps: number, windows: number, seconds: number|null, bytes: number, peak: number, free: number}} cost
 *   px, denoising steps, windows over all steps, bytes; all at most
 * @param {number} resolution m/px
 * @returns {string}
 */
export function question({ width, height, sampler, steps, windows, seconds, bytes, peak, free }, resolution) {
  const size = `${count(width)} × ${count(height)} px (${format.length(width * resolution)} × ${format.length(height * resolution)})`;
  const time = seconds === null ? "" : `, about ${format.roughly(seconds)} on this machine`;
  const more = peak > 1.1 * bytes ? `, ${format.bytes(peak)} while it runs` : "";
  return (
    `This fills up to ${size} in ${steps} steps with the ${sampler} sampler: ${count(windows)} windows${time}. ` +
    `It takes up to ${format.bytes(bytes)} on disk${more} (${format.bytes(free)} are free). ` +
    "Other jobs wait behind it; when cancelled it can be taken up again where it was."
  );
}

/** @param {number} number */
function count(number) {
  return number.toLocaleString("en-GB");
}
