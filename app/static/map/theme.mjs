/** Colours of the canvas layers, read from the style sheet so that there is one place for them. */

/** @param {Element} element */
export function readColours(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    map: { background: colour("--t2e-void"), grid: colour("--t2e-grid") },
    overlay: {
      accent: colour("--t2e-ghost"),
      danger: colour("--t2e-danger-line"),
      line: colour("--t2e-frame"),
      halo: colour("--t2e-halo"),
      wash: colour("--t2e-wash"),
    },
  };
}
