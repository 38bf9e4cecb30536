"use strict";
/* On paper: every photo that is shown, in rows that no page cuts, and then the charts, failures and provenance. The grid
 * of the screen has but those in view. */

{
  const { element, byId } = nightshift;
  // Of a row, in its heights: about four photos.
  const ROW = 5;
  /** Pixels of a picture's width on paper, where it is some 5 cm wide. Browsers print every pixel there is, unpacked. */
  const WIDTH = 420;
  /** More than these are a pile of paper, and minutes: whoever prints is told before. */
  const MANY = 500;
  const panels = document.querySelector(".panels");
  const above = panels.previousElementSibling;
  const opened = [];

  nightshift.startPrint = () => {
    addEventListener("beforeprint", () => {
      if (!byId("print").childElementCount) layOut();
      move(() => byId("photos").after(panels));
      unfold();
    });
    addEventListener("afterprint", () => {
      move(() => above.after(panels));
      byId("print").replaceChildren();
      opened.splice(0).forEach((details) => (details.open = false));
    });
    addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "p" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      nightshift.printShown();
    });
  };

  /** Print once all photos that are shown have been read; of many, if that is wished. */
  nightshift.printShown = async () => {
    const warning = manyInWords();
    if (warning && !confirm(`${warning} Print all of them?`)) return;
    await nightshift.readyToPrint();
    print();
  };

  /** Lay the photos out for paper, and wait for their pictures. */
  nightshift.readyToPrint = async () => {
    await nightshift.photosOf(nightshift.shownOnes());
    layOut();
    // One by one: large ones are some megabytes each while they are read. One that is lost has its place taken by words.
    for (const picture of byId("print").querySelectorAll("img")) {
      await picture.decode().catch(() => null);
      shrink(picture);
    }
  };

  /** Put a drawing of the size on paper in a large picture's place. A page from a disk may draw it, and not read it back. */
  function shrink(picture) {
    const { naturalWidth, naturalHeight } = picture;
    if (naturalWidth <= WIDTH) return;
    const small = element("canvas", { width: WIDTH, height: Math.max(1, Math.round((WIDTH * naturalHeight) / naturalWidth)) });
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, small.width, small.height);
    picture.replaceWith(small);
  }

  /** Move the panels; what is moved loses the focus. */
  function move(how) {
    const focused = document.activeElement;
    how();
    if (panels.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** A sentence where it is many photos; empty where not. */
  function manyInWords() {
    const shown = nightshift.shownOnes().length;
    return shown > MANY ? `${nightshift.count(shown, "photo")} are printed: a filter on the page makes it fewer.` : "";
  }

  function layOut() {
    const rows = [];
    let [row, sum, unread] = [[], 0, 0];
    const close = () => {
      if (row.length) rows.push(element("div", { class: "print-row" }, row));
      [row, sum] = [[], 0];
    };
    for (const ordinal of nightshift.shownOnes()) {
      const photo = nightshift.photoIfRead(ordinal);
      if (!photo) {
        unread += 1;
        continue;
      }
      const ratio = Math.min(2.1, Math.max(0.66, nightshift.ratioOf(ordinal)));
      if (sum + ratio > ROW) close();
      row.push(tile(photo, ratio));
      sum += ratio;
    }
    if (row.length) row.push(space(ROW - sum));
    close();
    const note = unread ? `${nightshift.count(unread, "more photo")} had not been read: “Use this list” prints all of them.` : null;
    byId("print").replaceChildren(legend(), ...rows, ...(note ? [element("p", {}, note)] : []));
  }

  /** What was asked for, and what the boxes mean: the controls that say so are not on paper. */
  function legend() {
    const asked = nightshift.wishInWords();
    const lines = [asked && `Only: ${asked}`, manyInWords()].filter(Boolean);
    const sign = (kind, text) => element("li", {}, element("span", { class: `swatch ${kind}` }), text);
    const signs = [
      ...nightshift.GENDERS.map((name, gender) => sign(name, `apparently ${nightshift.genderLabel(gender).toLowerCase()}`)),
      sign("dashed", "gender uncertain"),
      element("li", {}, "? uncertain"),
      nightshift.isNarrowed() ? sign("ringed", "asked for") : null,
    ];
    return element("div", { class: "print-legend" }, lines.map((line) => element("p", {}, line)), element("ul", { class: "legend" }, signs));
  }

  function tile(photo, ratio) {
    const made = nightshift.tile(photo, ratio, 150 * ratio);
    made.querySelector("img")?.setAttribute("loading", "eager");
    const cell = element("div", { class: "print-photo" }, ...made.childNodes);
    cell.style.flexGrow = ratio;
    cell.querySelector(".frame").style.aspectRatio = ratio;
    return cell;
  }

  function space(ratio) {
    const empty = element("div", { class: "print-photo" });
    empty.style.flexGrow = Math.max(0, ratio);
    return empty;
  }

  function unfold() {
    nightshift.drawForPaper();
    nightshift.fillBreakdown();
    for (const details of document.querySelectorAll(".panels > details:not([open])")) {
      details.open = true;
      opened.push(details);
    }
  }
}
