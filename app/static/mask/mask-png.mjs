/** Masks as the server takes them: a PNG in base64, white where the scene may change, and its place. */

/** @param {Blob} png @param {import("../geometry/rect.mjs").Rect} area that it covers @returns {Promise<{mask: string, at: [number, number]}>} */
export async function maskOf(png, area) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  let text = "";
  for (let n = 0; n < bytes.length; n += 0x8000) text += String.fromCharCode(...bytes.subarray(n, n + 0x8000));
  return { mask: btoa(text), at: [area.x, area.y] };
}

/** A mask over all of an area. @param {import("../geometry/rect.mjs").Rect} area */
export async function wholeMask(area) {
  const canvas = new OffscreenCanvas(area.w, area.h);
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, area.w, area.h);
  return maskOf(await canvas.convertToBlob({ type: "image/png" }), area);
}
