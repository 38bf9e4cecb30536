"use strict";
/* One photo: its picture with boxes and labels, or what there is to say in place of a picture. */

{
  const { element } = nightshift;
  const REASONS = {
    succeeded: ["No picture", "It has been erased, or was never kept."],
    cancelled: ["Cancelled", "The job was cancelled before its turn."],
    waiting: ["Not finished", "It was not done when this was written."],
    running: ["Not finished", "It was not done when this was written."],
    queued: ["Not finished", "It was not done when this was written."],
  };

  /** The picture with its boxes, filling what holds it.
   *
   * `size` is that of the picture on the page, in pixels: boxes get the labels there is room for.
   * Without a size they get the face's number, and the picture is loaded at once.
   */
  nightshift.picture = (photo, size = null) => {
    if (!photo.thumbnail) return placeholder(photo);
    const image = element("img", { alt: "", loading: size ? "lazy" : "eager", decoding: "async", src: photo.thumbnail });
    const picture = element("span", { class: "picture" }, image, photo.faces.map((face, index) => box(face, size ? null : index + 1)));
    if (size) picture.append(...nightshift.labels(photo.faces, size));
    image.addEventListener("error", () => picture.replaceWith(placeholder({ ...photo, thumbnail: null })));
    return picture;
  };

  /** What a screen reader says of a photo. */
  nightshift.photoText = (photo) => {
    if (photo.error) return `${photo.name}: ${photo.status}, ${nightshift.words(photo.error.code)}`;
    if (photo.status !== "succeeded") return `${photo.name}: ${photo.status}`;
    if (!photo.faces.length) return `${photo.name}: no face`;
    const faces = photo.faces.map(nightshift.faceText);
    const rest = faces.length - 6;
    const named = rest > 0 ? [...faces.slice(0, 6), `and ${rest} more`] : faces;
    return `${photo.name}: ${nightshift.count(photo.faces.length, "face")}: ${named.join("; ")}`;
  };

  /** A photo in the grid, its frame of this width through height and width in pixels. */
  nightshift.tile = (photo, ratio, width) => {
    const [across, down] = shareOfFrame(photo, ratio);
    const picture = nightshift.picture(photo, { width: width * across, height: (width / ratio) * down });
    if (across < 1) picture.style.width = `${100 * across}%`;
    if (down < 1) picture.style.height = `${100 * down}%`;
    const frame = element("span", { class: "frame" }, picture);
    const caption = element(
      "span",
      { class: "caption", "aria-hidden": "true" },
      element("span", { class: "name" }, photo.name.split("/").at(-1) || photo.name),
      element("span", { class: "about" }, aboutFaces(photo)),
    );
    const button = element("button", { type: "button", class: "tile", "aria-label": nightshift.photoText(photo), title: photo.name });
    button.append(frame, caption);
    return button;
  };

  /** A place held for a photo whose page is on its way. */
  nightshift.emptyTile = (ordinal) =>
    element(
      "button",
      { type: "button", class: "tile", "aria-label": `Photo ${ordinal + 1}, loading`, "aria-busy": "true" },
      element("span", { class: "frame waiting" }),
      element("span", { class: "caption" }),
    );

  function aboutFaces(photo) {
    if (photo.status !== "succeeded") return [nightshift.words(photo.error ? photo.error.code : photo.status)];
    if (!photo.faces.length) return ["No face"];
    const genders = photo.faces.filter((face) => face.genderUncertain).length;
    const ages = photo.faces.filter((face) => face.ageUncertain).length;
    const unsure = [genders && `${nightshift.count(genders, "gender")}?`, ages && `${nightshift.count(ages, "age")}?`];
    const wanted = nightshift.isNarrowed() ? photo.faces.filter(nightshift.isWanted).length : 0;
    const faces = wanted && wanted < photo.faces.length ? `${wanted} of ${photo.faces.length} faces` : nightshift.count(photo.faces.length, "face");
    return [[faces, ...unsure].filter(Boolean).join(" · ")];
  }

  /** How much of the frame a picture fills, across and down: panoramas and very tall photos not all of it. */
  function shareOfFrame(photo, ratio) {
    const own = photo.thumbnail && photo.height ? photo.width / photo.height : ratio;
    // The frame's shape is rounded; a hair's breadth is stretched rather than left empty.
    if (Math.abs(own / ratio - 1) < 0.04) return [1, 1];
    return own > ratio ? [1, ratio / own] : [own / ratio, 1];
  }

  function box(face, number) {
    const { x1, y1, x2, y2 } = face.box;
    const classes = ["box", nightshift.GENDERS[face.gender]];
    // Its colour is the gender's.
    if (face.genderUncertain) classes.push("unsure");
    if (nightshift.isNarrowed()) classes.push(nightshift.isWanted(face) ? "wanted" : "other");
    const made = element("span", { class: classes.join(" "), "aria-hidden": "true" });
    made.style.left = `${100 * x1}%`;
    made.style.top = `${100 * y1}%`;
    made.style.width = `${100 * (x2 - x1)}%`;
    made.style.height = `${100 * (y2 - y1)}%`;
    if (number) made.append(element("span", { class: "tag" }, String(number)));
    return made;
  }

  function placeholder(photo) {
    const [head, text] = photo.error
      ? [nightshift.words(photo.error.code), photo.error.message]
      : REASONS[photo.status] ?? [photo.status, ""];
    const kind = photo.status === "failed" ? "placeholder failed" : "placeholder";
    return element("span", { class: kind }, element("strong", {}, head), element("span", {}, text));
  }
}
