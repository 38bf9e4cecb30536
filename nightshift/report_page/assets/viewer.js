"use strict";
/* One photo, large, with all that was found in it. */

{
  const { element, byId, percent } = nightshift;
  const dialog = byId("viewer");
  const SHOWN_BY_BROWSERS = /\.(jpe?g|jfif|png|webp|gif|bmp|avif)$/i;
  let ordinals = [];
  let position = 0;
  let opener = null;
  let zoom = null;

  /** Open the viewer over these photos; the keyboard returns to `from`, or to the photo in the grid. */
  nightshift.view = (wanted, at, from) => {
    [ordinals, position, opener] = [wanted, at, from];
    show();
    dialog.showModal();
    // Going back, as a phone's own button does, closes the photo before it leaves the report.
    history.scrollRestoration = "manual";
    history.pushState({ isOver: true }, "");
    byId("viewer-name").focus();
  };

  nightshift.startViewer = () => {
    startZoom();
    byId("viewer-previous").addEventListener("click", () => step(-1));
    byId("viewer-next").addEventListener("click", () => step(1));
    byId("viewer-close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowLeft") step(-1);
      else if (event.key === "ArrowRight") step(1);
      else if (!zoom.byKey(event.key)) return;
      event.preventDefault();
    });
    addEventListener("popstate", () => {
      history.scrollRestoration = "auto";
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      if (history.state?.isOver) history.back();
      if (opener) opener.focus();
      else nightshift.focusGrid(position);
    });
    nightshift.onPage(() => {
      if (dialog.open && dialog.ariaBusy) show();
    });
  };

  function startZoom() {
    const stage = byId("viewer-stage");
    zoom = photoZoom(stage, (now, isMost) => {
      byId("zoom-out").disabled = now === 1;
      byId("zoom-in").disabled = isMost;
      byId("zoom-fit").textContent = now === 1 ? "Fit" : `${Math.round(100 * now)}%`;
    });
    byId("zoom-in").addEventListener("click", zoom.larger);
    byId("zoom-out").addEventListener("click", zoom.smaller);
    byId("zoom-fit").addEventListener("click", zoom.fit);
    byId("zoom-boxes").addEventListener("click", () => {
      const isShown = stage.classList.toggle("bare");
      byId("zoom-boxes").setAttribute("aria-pressed", String(!isShown));
    });
  }

  /** Whether the job kept previews that fill a screen. */
  function hasLargePreviews() {
    return nightshift.data.options.some(([name, value]) => name === "preview_px" && Number(value) > 960);
  }

  function step(by) {
    const to = position + by;
    if (to < 0 || to >= ordinals.length) return;
    position = to;
    show();
  }

  function show() {
    const photo = nightshift.photo(ordinals[position]);
    dialog.ariaBusy = photo ? null : "true";
    byId("viewer-previous").disabled = position === 0;
    byId("viewer-next").disabled = position === ordinals.length - 1;
    byId("viewer-place").textContent = `${nightshift.number(position + 1)} of ${nightshift.number(ordinals.length)}`;
    byId("viewer-name").textContent = photo ? photo.name : "Loading";
    byId("viewer-about").textContent = photo ? aboutPhoto(photo) : "";
    const stage = byId("viewer-stage");
    zoom.fit();
    stage.replaceChildren(...(photo ? [nightshift.picture(photo)] : []));
    stage.style.setProperty("--most", photo?.original || hasLargePreviews() ? "100000px" : "960px");
    stage.style.setProperty("--ratio", photo?.thumbnail && photo.height ? photo.width / photo.height : 4 / 3);
    byId("viewer-faces").replaceChildren(...(photo ? findings(photo) : []));
    byId("viewer-faces").scrollTop = 0;
    byId("viewer-original").replaceChildren();
    if (photo?.original) showOriginal(photo, stage.querySelector("img"));
  }

  /** Put the photo itself in the place of its small picture, once it is there; and link to it. */
  function showOriginal(photo, image) {
    const line = byId("viewer-original");
    const say = (...words) => line.replaceChildren(element("a", { href: photo.original, target: "_blank", rel: "noopener" }, "Open the photo itself"), ...words);
    if (!image || !SHOWN_BY_BROWSERS.test(photo.original)) {
      say(image ? " (browsers do not show this kind; here is its preview)" : "");
      return;
    }
    say(" (being read …)");
    const large = new Image();
    large.src = photo.original;
    large.decode().then(
      () => {
        if (!image.isConnected) return;
        // Browsers do not turn every kind of file by what its camera says; boxes would lie beside the faces.
        if (Math.abs((large.naturalWidth * photo.height) / (large.naturalHeight * photo.width) - 1) > 0.02) {
          say(" (shown here by its preview)");
          return;
        }
        for (const small of dialog.querySelectorAll(".picture img, .crop img")) small.src = large.src;
        say();
      },
      () => image.isConnected && line.replaceChildren("The photo is not where it was: this is its preview."),
    );
  }

  function aboutPhoto(photo) {
    const size = photo.width && photo.height ? `${photo.width} × ${photo.height}` : null;
    const faces = photo.status === "succeeded" ? nightshift.count(photo.faces.length, "face") : nightshift.words(photo.status);
    const time = nightshift.isKnown() ? nightshift.timeOf(ordinals[position]).replace("T", " ") : null;
    const camera = nightshift.isKnown() ? nightshift.cameras()[nightshift.cameraOf(ordinals[position])] : null;
    return [size, faces, time, camera, photo.reused ? "result reused" : null].filter(Boolean).join(" · ");
  }

  function findings(photo) {
    const notes = photo.warnings.map((warning) => element("p", { class: "remark" }, warning));
    if (photo.error) {
      const error = [element("span", { class: "code" }, photo.error.code), ` while it was at: ${photo.error.stage}`];
      notes.unshift(element("p", { class: "error" }, photo.error.message), element("p", { class: "remark" }, error));
    } else if (!photo.faces.length) {
      const text = photo.status === "succeeded" ? "No face was found in this photo." : "This photo was not analysed.";
      notes.unshift(element("p", { class: "remark" }, text));
    }
    return [...notes, element("ol", { class: "faces" }, wantedFirst(photo))];
  }

  /** Of a crowd, those that were asked for come first; each keeps its number. */
  function wantedFirst(photo) {
    const isOther = (face) => Number(nightshift.isNarrowed() && !nightshift.isWanted(face));
    return photo.faces
      .map((face, index) => [face, index])
      .sort(([one, at], [other, place]) => isOther(one) - isOther(other) || at - place)
      .map(([face, index]) => finding(photo, face, index));
  }

  function finding(photo, face, index) {
    const name = nightshift.GENDERS[face.gender];
    const gender = face.gender ? 1 - face.female : face.female;
    const tilt = face.tilt === null ? null : `turned upright by ${Math.abs(Math.round(face.tilt))}°`;
    const years = face.years === null ? null : `about ${Math.round(face.years)} years`;
    const range = face.ageUncertain ? `probably ${face.range}` : null;
    return element(
      "li",
      { class: nightshift.isNarrowed() ? `${name} ${nightshift.isWanted(face) ? "wanted" : "other"}` : name },
      crop(photo, face, index),
      element(
        "div",
        {},
        element("p", { class: "verdict" }, nightshift.genderLabel(face.gender), " ", percent(gender), uncertain(face.genderUncertain, face.genderDoubts)),
        element("div", { class: "balance", "aria-hidden": "true" }, part("female", face.female), part("male", 1 - face.female)),
        element("p", { class: "verdict" }, nightshift.ageLabel(face.age), " ", percent(face.ages[face.age]), uncertain(face.ageUncertain, face.ageDoubts)),
        ages(face),
        element("p", { class: "remark" }, [range, years, tilt, `detector ${(100 * face.confidence).toFixed(1)}%`].filter(Boolean).join(" · ")),
      ),
    );
  }

  /** The face by itself; a click brings it near. */
  function crop(photo, face, index) {
    const button = element("button", { type: "button", class: "crop", "aria-label": `Face ${index + 1}: show it larger` });
    if (photo.thumbnail && photo.width && photo.height) {
      const image = element("img", { alt: "", decoding: "async", src: photo.thumbnail });
      Object.assign(image.style, photoCrop(face.box, photo.width, photo.height));
      button.append(image);
    }
    button.append(element("span", { class: "face-number" }, String(index + 1)));
    button.addEventListener("click", () => zoom.toFace(face.box));
    return button;
  }

  function uncertain(is, doubts) {
    return is ? element("span", { class: "doubt" }, nightshift.doubtText(doubts)) : null;
  }

  function part(name, share) {
    const bar = element("span", { class: name });
    bar.style.width = `${100 * share}%`;
    return bar;
  }

  function ages(face) {
    const most = Math.max(...face.ages, 0.01);
    const columns = face.ages.map((share, age) => {
      const bar = element("span", { class: "age-bar", "aria-hidden": "true" });
      bar.style.height = `${Math.max(3, (100 * share) / most)}%`;
      const said = element("span", { class: "unseen" }, `: ${percent(share)}`);
      const cell = element("span", { class: "age-column", "aria-hidden": "true" }, bar);
      return element("li", { class: age === face.age ? "chosen" : null }, cell, element("span", { class: "age-label" }, nightshift.ageLabel(age)), said);
    });
    return element("ul", { class: "ages", "aria-label": "Probability of each age group" }, columns);
  }
}
