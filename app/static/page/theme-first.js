/* Before anything is drawn: light or dark as it was chosen here, else as the system is (page/theme-choice.mjs has the rest). */
{
  let kept = null;
  try {
    kept = localStorage.getItem("text2earth.theme");
  } catch {
    // Storage may be forbidden; then it is as the system is.
  }
  const dark = kept === "light" || kept === "dark" ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", dark);
}
