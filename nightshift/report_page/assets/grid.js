"use strict";
/* The photos in rows of equal height. Only those near the window are in the document, whatever their number. */

{
  const { element, byId } = nightshift;
  const grid = byId("grid");
  const shown = new Map();
  let ordinals = [];
  let layout = photoRows.arrange(0, () => 1, 1);
  let active = 0;

  /** Show these photos, from the first one on. */
  nightshift.showPhotos = (wanted) => {
    ordinals = wanted;
    active = 0;
    byId("nothing").hidden = ordinals.length > 0;
    arrange();
  };

  /** Ordinals of the photos that are shown, in their order. */
  nightshift.shownOnes = () => ordinals;

  /** Let the keyboard go on at the active photo, or at another one. */
  nightshift.focusGrid = (position = active) => {
    if (position < ordinals.length) move(position);
  };

  /** Follow the window, the keyboard, and pages that arrive. */
  nightshift.startGrid = () => {
    let waiting = false;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        render();
      });
    };
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    nightshift.onPage(() => {
      for (const [position, item] of shown) if (item.firstElementChild.ariaBusy) refresh(position);
    });
    let width = 0;
    new ResizeObserver(() => {
      if (grid.clientWidth === width) return;
      width = grid.clientWidth;
      arrange();
    }).observe(grid);
    grid.addEventListener("keydown", onKey);
    grid.addEventListener("focusin", (event) => activate(positionOf(event.target)));
    grid.addEventListener("click", (event) => {
      const position = positionOf(event.target);
      if (position !== null) nightshift.view(ordinals, position, null);
    });
  };

  function positionOf(target) {
    const item = target.closest("li");
    return item ? Number(item.dataset.position) : null;
  }

  /** Compute every photo's place. */
  function arrange() {
    const { arrange: arranged } = photoRows;
    layout = arranged(ordinals.length, (position) => nightshift.ratioOf(ordinals[position]), grid.clientWidth);
    grid.style.height = `${layout.height}px`;
    shown.clear();
    grid.replaceChildren();
    render();
  }

  /** Put what is near the window into the document, in order, and take the rest out. */
  function render() {
    const { rows } = layout;
    if (!rows.length) return;
    const start = grid.getBoundingClientRect().top;
    const [from, to] = photoRows.near(rows, -start, innerHeight);
    const isHere = grid.contains(document.activeElement);
    // The keyboard's place stays, however far the window is scrolled; else it is the first one seen.
    if (!isHere && (active < from || active >= to)) active = rows[photoRows.rowAt(rows, -start)].from;
    const kept = [];
    if (active < from) kept.push(active);
    for (let position = from; position < to; position += 1) kept.push(position);
    if (active >= to) kept.push(active);
    const keep = new Set(kept);
    for (const [position, item] of shown) {
      if (!keep.has(position)) {
        item.remove();
        shown.delete(position);
      }
    }
    let next = grid.firstElementChild;
    for (const position of kept) {
      const item = shown.get(position);
      if (item && item === next) next = next.nextElementSibling;
      else grid.insertBefore(item ?? make(position), next);
    }
    activate(active);
  }

  function make(position) {
    const place = layout.places[position];
    const item = element("li", { "data-position": position, "aria-setsize": ordinals.length, "aria-posinset": position + 1 }, tileOf(position));
    for (const side of ["left", "top", "width", "height"]) item.style[side] = `${place[side]}px`;
    shown.set(position, item);
    return item;
  }

  function tileOf(position) {
    const photo = nightshift.photo(ordinals[position]);
    const { width } = layout.places[position];
    const tile = photo
      ? nightshift.tile(photo, photoRows.frameRatio(nightshift.ratioOf(ordinals[position])), width)
      : nightshift.emptyTile(ordinals[position]);
    tile.tabIndex = position === active ? 0 : -1;
    return tile;
  }

  function refresh(position) {
    const item = shown.get(position);
    const hadFocus = item.contains(document.activeElement);
    item.replaceChildren(tileOf(position));
    if (hadFocus) item.firstElementChild.focus({ preventScroll: true });
  }

  /** Make one photo the one that Tab leads to. */
  function activate(position) {
    if (position === null) return;
    active = position;
    for (const [at, item] of shown) item.firstElementChild.tabIndex = at === active ? 0 : -1;
  }

  function onKey(event) {
    const position = positionOf(event.target);
    if (position === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = photoRows.target(layout, event.key, position);
    if (to === null) return;
    event.preventDefault();
    move(to);
  }

  function move(position) {
    active = position;
    const place = layout.places[position];
    const y = grid.getBoundingClientRect().top + place.top;
    const head = byId("filters").getBoundingClientRect();
    const covered = getComputedStyle(byId("filters")).position === "sticky" ? head.height + 12 : 12;
    if (y < covered) scrollBy(0, y - covered);
    else if (y + place.height > innerHeight - 12) scrollBy(0, y + place.height - innerHeight + 12);
    render();
    if (!shown.has(position)) make(position);
    activate(position);
    shown.get(position).firstElementChild.focus({ preventScroll: true });
  }
}
