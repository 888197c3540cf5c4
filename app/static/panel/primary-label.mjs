/** What the panel's one main button says: what a press of it will do. Pure. */
import { roughly } from "../page/format.mjs";

/**
 * @param {{masked: boolean, variations: number, seconds: number|null, regions: number, first: boolean}} situation
 *   whether a mask is painted, and what its edit would take; regions drawn; whether nothing has been made yet
 */
export function primaryLabel({ masked, variations, seconds, regions, first }) {
  if (masked) {
    const time = seconds === null ? "" : `, about ${roughly(seconds)}`;
    return `Change mask, ${variations} variation${variations === 1 ? "" : "s"}${time}`;
  }
  if (regions) return `Fill ${regions} region${regions === 1 ? "" : "s"}`;
  return first ? "Make the first tile" : "Generate";
}
