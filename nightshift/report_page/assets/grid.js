"use strict";
/* The photos in rows of equal height. Only those near the window are in the document, whatever their number. */

{
  const { element, byId } = nightshift;
  const CAPTION = 46;
  const [NARROWEST, WIDEST] = [0.66, 2.1];
  const grid = byId("grid");
  const shown = new Map();
  let ordinals = [];
  let places = [];
  let rows = [];
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

  /** Compute every photo's place: as many a row as bring it nearest to the height that is wanted. */
  function arrange() {
    const width = grid.clientWidth;
    const [wanted, gap] = width < 560 ? [158, 10] : [212, 16];
    const heightOf = (photos, sum) => (width - gap * (photos - 1)) / sum;
    places = [];
    rows = [];
    let [top, from, sum] = [0, 0, 0];
    const close = (to) => {
      const highest = to < ordinals.length ? wanted * 1.3 : wanted;
      const height = Math.min(highest, heightOf(to - from, sum));
      top = placeRow(from, to, top, height, gap) + gap;
      [from, sum] = [to, 0];
    };
    ordinals.forEach((ordinal, position) => {
      const ratio = frameRatio(ordinal);
      const photos = position - from;
      const [without, within] = [heightOf(photos, sum), heightOf(photos + 1, sum + ratio)];
      if (photos && within < wanted && without - wanted < wanted - within) close(position);
      sum += ratio;
      if (heightOf(position + 1 - from, sum) <= wanted || position === ordinals.length - 1) close(position + 1);
    });
    grid.style.height = `${Math.max(0, top - gap)}px`;
    shown.clear();
    grid.replaceChildren();
    render();
  }

  /** Returns where the row ends. */
  function placeRow(from, to, top, height, gap) {
    let left = 0;
    for (let at = from; at < to; at += 1) {
      const width = frameRatio(ordinals[at]) * height;
      places.push({ left, top, width, height: height + CAPTION, row: rows.length });
      left += width + gap;
    }
    rows.push({ top, from, to });
    return top + height + CAPTION;
  }

  function frameRatio(ordinal) {
    return Math.min(WIDEST, Math.max(NARROWEST, nightshift.ratioOf(ordinal)));
  }

  /** Put what is near the window into the document, in order, and take the rest out. */
  function render() {
    if (!rows.length) return;
    const start = grid.getBoundingClientRect().top;
    const first = rowAt(-start - innerHeight * 0.75);
    const last = rowAt(-start + innerHeight * 1.75);
    const [from, to] = [rows[first].from, rows[last].to];
    const isHere = grid.contains(document.activeElement);
    // The keyboard's place stays, however far the window is scrolled; else it is the first one seen.
    if (!isHere && (active < from || active >= to)) active = rows[rowAt(-start)].from;
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

  function rowAt(y) {
    let [low, high] = [0, rows.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (rows[middle].top <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function make(position) {
    const place = places[position];
    const item = element("li", { "data-position": position, "aria-setsize": ordinals.length, "aria-posinset": position + 1 }, tileOf(position));
    for (const side of ["left", "top", "width", "height"]) item.style[side] = `${place[side]}px`;
    shown.set(position, item);
    return item;
  }

  function tileOf(position) {
    const photo = nightshift.photo(ordinals[position]);
    const { width } = places[position];
    const tile = photo
      ? nightshift.tile(photo, frameRatio(ordinals[position]), width)
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
    const to = target(event.key, position);
    if (to === null) return;
    event.preventDefault();
    move(to);
  }

  function target(key, position) {
    const last = ordinals.length - 1;
    if (key === "ArrowRight") return Math.min(last, position + 1);
    if (key === "ArrowLeft") return Math.max(0, position - 1);
    if (key === "ArrowDown") return inRow(position, 1);
    if (key === "ArrowUp") return inRow(position, -1);
    if (key === "PageDown") return inRow(position, 3);
    if (key === "PageUp") return inRow(position, -3);
    if (key === "Home") return 0;
    return key === "End" ? last : null;
  }

  /** The photo under, or over, the middle of this one, some rows away. */
  function inRow(position, by) {
    const { row, left, width } = places[position];
    const { from, to } = rows[Math.min(rows.length - 1, Math.max(0, row + by))];
    const middle = left + width / 2;
    const away = (at) => Math.abs(places[at].left + places[at].width / 2 - middle);
    let best = from;
    for (let at = from; at < to; at += 1) if (away(at) < away(best)) best = at;
    return best;
  }

  function move(position) {
    active = position;
    const place = places[position];
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
