"use strict";
/* Where photos lie in rows of about equal height, whatever their number. The report's grid and that of the service's page
 * (api/page) are laid out by this file, which knows of neither: it is a plain script here, and bundled there. */

{
  /** Below each photo, pixels. */
  const CAPTION = 46;
  const [NARROWEST, WIDEST] = [0.66, 2.1];

  /** Width through height of a photo's frame; panoramas and very tall photos do not fill theirs. */
  const frameRatio = (ratio) => Math.min(WIDEST, Math.max(NARROWEST, ratio));

  /**
   * Every photo's place: as many a row as bring it nearest to the height that is wanted.
   *
   * `ratioAt(position)` is a photo's width through height; all else is in pixels. Returns the `places`, the `rows` of
   * them (`from` and before `to`), and the height of all.
   */
  function arrange(photos, ratioAt, width) {
    const [wanted, gap] = width < 560 ? [158, 10] : [212, 16];
    const heightOf = (many, sum) => (width - gap * (many - 1)) / sum;
    const [places, rows] = [[], []];
    const ratios = Array.from({ length: photos }, (_, position) => frameRatio(ratioAt(position)));
    let [top, from, sum] = [0, 0, 0];
    const close = (to) => {
      const highest = to < photos ? wanted * 1.3 : wanted;
      const height = Math.min(highest, heightOf(to - from, sum));
      let left = 0;
      for (let at = from; at < to; at += 1) {
        places.push({ left, top, width: ratios[at] * height, height: height + CAPTION, row: rows.length });
        left += ratios[at] * height + gap;
      }
      rows.push({ top, from, to });
      top += height + CAPTION + gap;
      [from, sum] = [to, 0];
    };
    ratios.forEach((ratio, position) => {
      const many = position - from;
      const [without, within] = [heightOf(many, sum), heightOf(many + 1, sum + ratio)];
      if (many && within < wanted && without - wanted < wanted - within) close(position);
      sum += ratio;
      if (heightOf(position + 1 - from, sum) <= wanted || position === photos - 1) close(position + 1);
    });
    return { places, rows, height: Math.max(0, top - gap) };
  }

  /** The row at this height, or the nearest. */
  function rowAt(rows, y) {
    let [low, high] = [0, rows.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first photo near a window that begins `above` pixels below the rows' top, and the first one after those. */
  function near(rows, above, windowHeight) {
    if (!rows.length) return [0, 0];
    const [first, last] = [rowAt(rows, above - windowHeight * 0.75), rowAt(rows, above + windowHeight * 1.75)];
    return [rows[first].from, rows[last].to];
  }

  /** Where a key leads from this photo; null of a key that leads nowhere. */
  function target({ places, rows }, key, position) {
    const last = places.length - 1;
    if (key === "ArrowRight") return Math.min(last, position + 1);
    if (key === "ArrowLeft") return Math.max(0, position - 1);
    if (key === "ArrowDown") return inRow(places, rows, position, 1);
    if (key === "ArrowUp") return inRow(places, rows, position, -1);
    if (key === "PageDown") return inRow(places, rows, position, 3);
    if (key === "PageUp") return inRow(places, rows, position, -3);
    if (key === "Home") return 0;
    return key === "End" ? last : null;
  }

  /** The photo under, or over, the middle of this one, some rows away. */
  function inRow(places, rows, position, by) {
    const { row, left, width } = places[position];
    const { from, to } = rows[Math.min(rows.length - 1, Math.max(0, row + by))];
    const middle = left + width / 2;
    const away = (at) => Math.abs(places[at].left + places[at].width / 2 - middle);
    let best = from;
    for (let at = from; at < to; at += 1) if (away(at) < away(best)) best = at;
    return best;
  }

  globalThis.photoRows = { arrange, frameRatio, near, rowAt, target };
}
