"use strict";
/* Where labels go on a picture: beside their box, on no other box and no other label. */

{
  const { element } = nightshift;
  const [LETTER, PADDING, HEIGHT, GAP] = [6.6, 12, 17, 4];
  const MOST_COVERED = 0.12;

  /** The labels of the faces, as far as there is room; none when most would be missing, or hide the picture. */
  nightshift.labels = (faces, size) => {
    const wanted = faces.filter((face) => nightshift.isWanted(face));
    const boxes = faces.map((face) => inPixels(face.box, size));
    const taken = [];
    const labels = wanted.map((face) => {
      const text = textOf(face);
      const own = boxes[faces.indexOf(face)];
      const place = placesBeside(own, text.length * LETTER + PADDING).find(
        (label) => isInside(label, size) && ![...taken, ...boxes.filter((box) => box !== own)].some((other) => overlap(label, other)),
      );
      if (!place) return null;
      taken.push(place);
      return made(face, text, place, size);
    });
    const covered = taken.reduce((sum, label) => sum + (label.x2 - label.x1) * HEIGHT, 0) / (size.width * size.height);
    const few = taken.length * 2 < wanted.length;
    return few || covered > MOST_COVERED ? [] : labels.filter(Boolean);
  };

  function textOf(face) {
    const gender = `${nightshift.genderLabel(face.gender)[0]}${face.genderUncertain ? "?" : ""}`;
    const ages = `${nightshift.agesOf(face)}${face.ageUncertain ? "?" : ""}`;
    return [`${gender} ${ages}`, ...face.marks].join(" · ");
  }

  function inPixels({ x1, y1, x2, y2 }, { width, height }) {
    return { x1: x1 * width, y1: y1 * height, x2: x2 * width, y2: y2 * height };
  }

  /** Under the box, over it, or inside a large one; from its left edge, to its right one, or centred. */
  function placesBeside(box, width) {
    const lefts = [box.x1, box.x2 - width, (box.x1 + box.x2 - width) / 2];
    const tops = [box.y2 + GAP, box.y1 - GAP - HEIGHT];
    if (box.x2 - box.x1 > 1.3 * width) tops.push(box.y2 - HEIGHT - GAP);
    return tops.flatMap((y1) => lefts.map((x1) => ({ x1, y1, x2: x1 + width, y2: y1 + HEIGHT })));
  }

  function isInside({ x1, y1, x2, y2 }, { width, height }) {
    return x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height;
  }

  function overlap(one, other) {
    return one.x1 < other.x2 && other.x1 < one.x2 && one.y1 < other.y2 && other.y1 < one.y2;
  }

  function made(face, text, place, { width, height }) {
    const label = element("span", { class: `tag ${nightshift.GENDERS[face.gender]}`, "aria-hidden": "true" }, text);
    label.style.left = `${(100 * place.x1) / width}%`;
    label.style.top = `${(100 * place.y1) / height}%`;
    return label;
  }
}
