"use strict";
/* Bars in SVG, drawn to the width there is. The service's page (api/page) bundles this file as well; it knows of neither
 * page: `drawing(tag, attributes, ...children)` makes an element, and what a bar is called and counts comes as text. */

{
  /** An `svg` with what a screen reader says of it. */
  function plot(drawing, width, height, summary, ...children) {
    const attributes = { role: "img", "aria-label": summary, viewBox: `0 0 ${width} ${height}`, width, height };
    return drawing("svg", attributes, ...children);
  }

  /** Standing bars; a row is a label, a value, and the value in words. */
  function columns(drawing, rows, width, summary) {
    const [top, bottom, height] = [26, 30, 296];
    const most = Math.max(1, ...rows.map(([, value]) => value));
    const step = width / rows.length;
    const bar = Math.min(56, step * 0.62);
    const foot = height - bottom;
    const drawn = rows.map(([label, value, text], index) => {
      const tall = value ? Math.max(2, (value / most) * (foot - top)) : 0;
      const middle = step * (index + 0.5);
      return drawing(
        "g",
        {},
        tall ? drawing("rect", { class: "bar crowd", x: middle - bar / 2, y: foot - tall, width: bar, height: tall, rx: 3 }) : null,
        drawing("text", { class: "value", x: middle, y: foot - tall - 8, "text-anchor": "middle" }, text),
        drawing("text", { class: "axis", x: middle, y: height - 8, "text-anchor": "middle" }, label),
      );
    });
    return plot(drawing, width, height, summary, drawn, drawing("rect", { class: "base", x: 0, y: foot, width, height: 1 }));
  }

  /**
   * Lying bars, under their labels, for labels of any length; rows as of `columns`.
   *
   * A row may have a whisker besides, from `low` to `high`, in the same unit.
   */
  function lyingBars(drawing, rows, width, summary) {
    const [step, bar, right] = [40, 12, 72];
    const most = Math.max(Number.MIN_VALUE, ...rows.map(([, value, , , high = 0]) => Math.max(value, high)));
    const scale = (value) => (value / most) * Math.max(10, width - right);
    const drawn = rows.map(([label, value, text, low, high], index) => {
      const y = index * step + 18;
      return drawing(
        "g",
        {},
        drawing("text", { class: "axis", x: 0, y: y - 5 }, label),
        value ? drawing("rect", { class: "bar crowd", x: 0, y, width: Math.max(1.5, scale(value)), height: bar, rx: 2 }) : null,
        high === undefined ? null : drawing("rect", { class: "whisker", x: scale(low), y: y + bar / 2 - 1, width: scale(high - low), height: 2 }),
        drawing("text", { class: "value", x: scale(Math.max(value, high ?? 0)) + 8, y: y + bar - 2 }, text),
      );
    });
    return plot(drawing, width, rows.length * step, summary, drawn);
  }

  globalThis.photoPlots = { plot, columns, lyingBars };
}
