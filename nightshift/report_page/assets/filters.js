"use strict";
/* Which photos are shown. Filters look at the index only, so they know of photos whose page is not there. */

{
  const { element, byId, number } = nightshift;
  let show = "all";
  let narrowed = false;
  let fits = () => true;

  /** Make the controls; `changed` is called with the ordinals to show. */
  nightshift.showFilters = (tally, changed) => {
    const shows = [
      ["all", "All", tally.photos],
      ["uncertain-gender", "Uncertain gender", tally.unsureGenderPhotos],
      ["uncertain-age", "Uncertain age", tally.unsureAgePhotos],
      ["none", "No face", tally.noFace],
      ["failed", "Failed", tally.failed],
    ];
    byId("filter-show").append(...shows.map(([value, text, photos]) => showPill(value, text, photos)));
    byId("filter-gender").append(
      ...nightshift.GENDERS.map((name, gender) =>
        pill({ type: "checkbox", name: "gender", value: gender }, element("span", { class: `dot ${name}` }), nightshift.genderLabel(gender)),
      ),
    );
    byId("filter-age").append(
      ...nightshift.data.labels.map((_, age) => pill({ type: "checkbox", name: "age", value: age }, nightshift.ageLabel(age))),
    );
    const form = byId("filters");
    form.addEventListener("change", () => apply(form, changed));
    form.addEventListener("submit", (event) => event.preventDefault());
    // The controls have their new values after the event only.
    form.addEventListener("reset", () => setTimeout(() => apply(form, changed)));
    nightshift.showOnly = (value) => {
      form.reset();
      form.querySelector(`[name=show][value=${value}]`).checked = true;
      apply(form, changed);
      byId("photos").scrollIntoView();
      nightshift.focusGrid();
    };
    apply(form, changed);
  };

  /** Whether a face is one that was asked for; all are when nothing was. */
  nightshift.isWanted = (bits) => fits(bits);

  /** Whether faces are told apart at all. */
  nightshift.isNarrowed = () => narrowed;

  function showPill(value, text, photos) {
    const attributes = { type: "radio", name: "show", value, checked: value === "all", disabled: value !== "all" && !photos };
    return pill(attributes, text, element("span", { class: "pill-count" }, number(photos)));
  }

  function pill(attributes, ...text) {
    return element("label", { class: "pill" }, element("input", attributes), element("span", {}, text));
  }

  function apply(form, changed) {
    const chosen = new FormData(form);
    const genders = chosen.getAll("gender").map(Number);
    const ages = chosen.getAll("age").map(Number);
    show = chosen.get("show");
    // A photo without a face has neither gender nor age.
    for (const name of ["gender", "age"]) byId(`filter-${name}`).closest("fieldset").disabled = show === "none" || show === "failed";
    fits = (bits) => {
      const face = nightshift.faceOf(bits);
      return (
        (!genders.length || genders.includes(face.gender)) &&
        (!ages.length || ages.includes(face.age)) &&
        (show !== "uncertain-gender" || face.genderUncertain) &&
        (show !== "uncertain-age" || face.ageUncertain)
      );
    };
    narrowed = genders.length > 0 || ages.length > 0 || show.startsWith("uncertain");
    byId("clear").hidden = show === "all" && !genders.length && !ages.length;
    const ordinals = chosenOnes();
    say(ordinals);
    changed(ordinals);
  }

  function chosenOnes() {
    const isWanted = (ordinal) => {
      const status = nightshift.statusOf(ordinal);
      if (show === "failed") return status === "failed";
      const faces = nightshift.facesIn(ordinal);
      if (show === "none") return status === "succeeded" && !faces.length;
      return narrowed ? faces.some(fits) : true;
    };
    return [...nightshift.entries.keys()].filter(isWanted);
  }

  function say(ordinals) {
    const all = nightshift.entries.length;
    const faces = ordinals.reduce((sum, ordinal) => sum + nightshift.facesIn(ordinal).filter(fits).length, 0);
    const photos = ordinals.length === all ? nightshift.count(all, "photo") : `${number(ordinals.length)} of ${nightshift.count(all, "photo")}`;
    const said = narrowed ? nightshift.count(faces, "such face") : nightshift.count(faces, "face");
    byId("count").textContent = `${photos}, ${said}`;
  }
}
