/** What the panel's one main button says: what a press of it will do. Pure. */
import { roughly } from "../page/format.mjs";

/**
 * @param {{masked: boolean, variations: number, seconds: number|null, regions: number, first: boolean, layer?: string}} situation
 *   whether a mask is painted, and what its edit would take; regions drawn; whether nothing has been made yet; what the layer is called where it is not colours
 */
export function primaryLabel({ masked, variations, seconds, regions, first, layer }) {
  const made = layer ? ` ${layer}` : "";
  if (masked) {
    const time = seconds === null ? "" : `, about ${roughly(seconds)}`;
    return `Change mask${layer ? ` in ${layer}` : ""}, ${variations} variation${variations === 1 ? "" : "s"}${time}`;
  }
  if (regions) return `Fill ${regions} region${regions === 1 ? "" : "s"}${layer ? ` in ${layer}` : ""}`;
  return first ? `Make the first${made} tile` : `Generate${made}`;
}
