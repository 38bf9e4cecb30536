"use strict";
/* The controls of which photos are shown. They look at the index only, so they know of photos whose page is not
 * there; names, times and certainties come a moment later, and with them the controls that need these. */

{
  const { element, byId, number } = nightshift;
  const SLIDERS = [
    ["detector", "Detector at least", 100],
    ["sureGender", "Gender at least", 100],
    ["sureAge", "Age group at least", 100],
  ];
  const form = byId("filters");
  const extra = { camera: "", time: "" };
  let changed = () => {};
  let waiting = 0;

  /** Make the controls; `shown` is called with the ordinals to show. */
  nightshift.showFilters = (tally, shown) => {
    changed = shown;
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
    byId("sort").append(...nightshift.SORTS.map(([value, text]) => element("option", { value }, text)));
    byId("filter-sure").append(...SLIDERS.map(slider));
    form.addEventListener("change", apply);
    // A word is searched for when the typing rests.
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, 120);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => {
      Object.assign(extra, { camera: "", time: "" });
      // The controls have their new values after the event only.
      setTimeout(apply);
    });
    addEventListener("hashchange", () => {
      if (location.hash.includes("=") && location.hash.slice(1) !== nightshift.wishAsText()) byAddress();
    });
    byAddress();
    nightshift.onKnown(known);
  };

  /** Show these alone, such as `{show: "failed"}` or `{folder: "friday"}`. */
  nightshift.showOnly = (wish) => {
    nightshift.ask(wish);
    fill();
    intoAddress();
    refresh();
    byId("photos").scrollIntoView();
    nightshift.focusGrid();
  };

  function byAddress() {
    nightshift.askByText(location.hash.slice(1));
    fill();
    refresh();
  }

  /** What names, times and certainties are needed for is of use now. */
  function known() {
    const own = new Map();
    for (const ordinal of nightshift.entries.keys()) {
      const folder = nightshift.folderOf(nightshift.nameOf(ordinal));
      own.set(folder, (own.get(folder) ?? 0) + 1);
    }
    const folders = new Map();
    for (const [within, photos] of own) {
      // A folder holds what is in those within it.
      for (let folder = within; folder; folder = nightshift.folderOf(folder)) folders.set(folder, (folders.get(folder) ?? 0) + photos);
    }
    const names = [...folders.keys()].sort(new Intl.Collator("en", { numeric: true }).compare).slice(0, 1000);
    const top = own.get("");
    if (top && names.length) byId("folder").append(element("option", { value: nightshift.NONE }, `At the top (${number(top)})`));
    byId("folder").append(...names.map((name) => element("option", { value: name }, `${name} (${number(folders.get(name))})`)));
    byId("folder").closest("label").hidden = names.length === 0;
    if (!nightshift.hasTimes()) byId("sort").querySelector("[value=time]").remove();
    form.querySelectorAll("[data-late]").forEach((control) => control.removeAttribute("disabled"));
    if (nightshift.wishAsText()) byAddress();
  }

  function slider([name, text]) {
    const shown = element("output", {}, "any");
    const input = element("input", { type: "range", name, min: 0, max: 100, value: 0, "data-late": true, disabled: true });
    return element("label", { class: "slider" }, element("span", {}, text, " ", shown), input);
  }

  function showPill(value, text, photos) {
    const attributes = { type: "radio", name: "show", value, checked: value === "all", disabled: value !== "all" && !photos };
    return pill(attributes, text, element("span", { class: "pill-count" }, number(photos)));
  }

  function pill(attributes, ...text) {
    return element("label", { class: "pill" }, element("input", attributes), element("span", {}, text));
  }

  /** Put the wish into the controls. */
  function fill() {
    const wish = nightshift.wish();
    for (const input of form.elements) {
      const asked = wish[input.name];
      if (asked === undefined) continue;
      if (input.type === "radio") input.checked = input.value === asked;
      else if (input.type === "checkbox") input.checked = asked.includes(Number(input.value));
      else input.value = asked;
    }
    Object.assign(extra, { camera: wish.camera, time: wish.time });
  }

  /** Make the controls' values the wish. */
  function apply() {
    clearTimeout(waiting);
    const value = (name) => form.elements[name].value;
    const chosen = new FormData(form);
    nightshift.ask({
      ...extra,
      show: chosen.get("show"),
      gender: [...form.querySelectorAll("[name=gender]:checked")].map((input) => Number(input.value)),
      age: [...form.querySelectorAll("[name=age]:checked")].map((input) => Number(input.value)),
      ...{ name: value("name").trim(), folder: value("folder"), from: value("from"), to: value("to"), sort: value("sort") },
      ...Object.fromEntries(SLIDERS.map(([name]) => [name, Number(value(name))])),
    });
    intoAddress();
    refresh();
  }

  /** Without an entry in the history for each click. */
  function intoAddress() {
    const text = nightshift.wishAsText();
    if (!text && !location.hash.includes("=")) return;
    try {
      history.replaceState(null, "", text ? `#${text}` : location.href.split("#")[0]);
    } catch {
      // Some browsers let no page from a disk do that, or not so often; the filter holds all the same.
    }
  }

  function refresh() {
    const wish = nightshift.wish();
    // A photo without a face has neither gender nor age.
    const faceless = wish.show === "none" || wish.show === "failed";
    for (const name of ["gender", "age", "sure"]) byId(`filter-${name}`).closest("fieldset").disabled = faceless;
    for (const [name] of SLIDERS) form.elements[name].parentElement.querySelector("output").textContent = wish[name] ? `${wish[name]}%` : "any";
    const said = (key, text) => (wish[key] === nightshift.NONE ? nightshift.WITHOUT[key] : text);
    const time = wish.time.replace("T", ", ") + (wish.time.includes("T") ? ":00" : "");
    const also = [said("time", time), said("camera", wish.camera)].filter(Boolean);
    byId("also").textContent = also.length ? `Only ${also.join(" and ")}` : "";
    byId("also").hidden = !also.length;
    byId("clear").hidden = !nightshift.isAsking();
    const ordinals = nightshift.wantedOnes();
    say(ordinals);
    changed(ordinals);
  }

  function say(ordinals) {
    const all = nightshift.entries.length;
    const isNarrowed = nightshift.isNarrowed();
    const faces = ordinals.reduce((sum, ordinal) => sum + nightshift.wantedIn(ordinal), 0);
    const photos = ordinals.length === all ? nightshift.count(all, "photo") : `${number(ordinals.length)} of ${nightshift.count(all, "photo")}`;
    byId("count").textContent = `${photos}, ${nightshift.count(faces, isNarrowed ? "such face" : "face")}`;
  }
}
