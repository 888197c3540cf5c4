/**
 * Rows of a list are dragged into another order by mouse, pen or finger. The list changes while one drags, so that the map
 * shows at once what comes of it; Escape, or a gesture that the browser takes over, puts the row back.
 * @typedef {{top: number, bottom: number}} Span of a row, CSS pixels from the top of the window
 */

/** A press that moves less than this is a click. */
const LEAST_PX = 4;

/**
 * Which neighbour a dragged row changes places with. After that the pointer is over the row that it drags, however high the
 * rows are, so that nothing flickers.
 * @param {number} y of the pointer @param {Span} own @param {Span|undefined} above @param {Span|undefined} below
 * @returns {-1|0|1} -1 the one above, 1 the one below, 0 none
 */
export function passes(y, own, above, below) {
  const reach = (other) => Math.min(own.bottom - own.top, (other.bottom - other.top) / 2);
  if (above && y < above.top + reach(above)) return -1;
  if (below && y > below.bottom - reach(below)) return 1;
  return 0;
}

/** @param {Element|null} node @returns {Span|undefined} */
const spanOf = (node) => node?.getBoundingClientRect();

/**
 * @param {HTMLElement} list whose rows have a key @param {string} handle selector of what a row is dragged by
 * @param {(key: string, by: -1|1) => void} move changes the list at once; 1 is down
 */
export function dragRows(list, handle, move) {
  list.addEventListener("pointerdown", (event) => {
    const row = event.target instanceof Element && event.target.closest(handle)?.closest("li");
    if (!row || event.button !== 0 || !event.isPrimary) return;
    const { key } = row.dataset;
    const end = new AbortController();
    const from = event.clientY;
    let dragging = false;
    let moved = 0;
    const step = (by) => {
      moved += by;
      move(key, by);
    };
    const stop = () => {
      end.abort();
      row.classList.remove("dragged");
    };
    const back = () => {
      while (moved) step(moved > 0 ? -1 : 1);
      stop();
    };
    const follow = ({ pointerId, clientY }) => {
      if (!dragging && Math.abs(clientY - from) < LEAST_PX) return;
      if (!dragging) {
        dragging = true;
        // The list holds the pointer, not the row, which leaves the document for a moment when it moves; a click on the row it no longer is.
        list.setPointerCapture(pointerId);
        row.classList.add("dragged");
      }
      const by = passes(clientY, spanOf(row), spanOf(row.previousElementSibling), spanOf(row.nextElementSibling));
      if (by) step(by);
    };
    const { signal } = end;
    /** @param {"pointermove"|"pointerup"|"pointercancel"} name @param {(event: PointerEvent) => void} act */
    const listen = (name, act) => {
      addEventListener(name, (other) => void (other.pointerId === event.pointerId && act(other)), { signal });
    };
    listen("pointermove", follow);
    listen("pointerup", stop);
    listen("pointercancel", back);
    addEventListener("keydown", (press) => {
      if (press.key !== "Escape" || !dragging) return;
      press.stopPropagation();
      back();
    }, { signal, capture: true });
  });
}
