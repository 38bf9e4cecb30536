"use strict";
/* What was asked for: which photos, which faces in them, in which order; and the same as an address. */

{
  const NOTHING = {
    ...{ show: "all", gender: [], age: [], name: "", folder: "", camera: "", time: "", from: "", to: "" },
    ...{ detector: 0, sureGender: 0, sureAge: 0, sort: "given" },
  };
  const LISTS = ["gender", "age"];
  const NUMBERS = ["detector", "sureGender", "sureAge"];
  const SHOWS = ["all", "uncertain-gender", "uncertain-age", "none", "failed"];
  const inOrder = new Intl.Collator("en", { numeric: true });
  const MARKS = /\p{Mn}/gu;
  const names = [];
  let wish = NOTHING;
  let fits = Array(64).fill(1);

  /** A wish for photos that have none: no folder, time or camera; none of these is called so. */
  nightshift.NONE = "/";
  nightshift.WITHOUT = { folder: "at the top of the folder", time: "without a time", camera: "without a camera" };

  nightshift.SORTS = [
    ["given", "As given"],
    ["name", "Name"],
    ["time", "Time taken"],
    ["faces", "Most faces"],
    ["gender", "Least sure of gender"],
    ["age", "Least sure of age"],
  ];

  /** The form in which names and what is sought in them are compared, as the service's `folded` (photo_names.py). */
  nightshift.folded = (text) =>
    casefolded(casefolded(text.normalize("NFD")).normalize("NFKC")).normalize("NFKC").replaceAll("i\u0307", "i").replaceAll("\u0131", "i");

  /** Capitals by way of small letters, and back: `ß` is `ss` in them; at the end of a word a small sigma has a form of its own. */
  function casefolded(text) {
    return text.toLowerCase().toUpperCase().toLowerCase().replaceAll("\u03c2", "\u03c3");
  }

  function withoutMarks(text) {
    return text.normalize("NFD").replace(MARKS, "");
  }

  /** A photo's name folded, and the same without accents: whoever types none finds both. */
  function soughtIn(ordinal) {
    if (!names[ordinal]) {
      const whole = nightshift.folded(nightshift.nameOf(ordinal));
      names[ordinal] = `${whole}\n${withoutMarks(whole)}`;
    }
    return names[ordinal];
  }

  /** What is asked for now. */
  nightshift.wish = () => wish;

  /** Ask for something; what is not said is not asked for. */
  nightshift.ask = (asked) => {
    wish = { ...NOTHING, ...asked };
    fits = Array.from({ length: 64 }, (_, bits) => Number(nightshift.isWanted(nightshift.sureFaceOf(bits))));
  };

  /** Whether anything is left out. */
  nightshift.isAsking = () => Object.keys(NOTHING).some((key) => key !== "sort" && String(wish[key]) !== String(NOTHING[key]));

  /** Whether faces are told apart at all. */
  nightshift.isNarrowed = () =>
    wish.gender.length > 0 || wish.age.length > 0 || wish.show.startsWith("uncertain") || NUMBERS.some((key) => wish[key] > 0);

  /** Whether a face is one that was asked for; all are when nothing was. */
  nightshift.isWanted = (face) =>
    (!wish.gender.length || wish.gender.includes(face.gender)) &&
    (!wish.age.length || wish.age.includes(face.age)) &&
    (wish.show !== "uncertain-gender" || face.genderUncertain) &&
    (wish.show !== "uncertain-age" || face.ageUncertain) &&
    100 * face.confidence >= wish.detector &&
    100 * face.genderSure >= wish.sureGender &&
    100 * face.ageSure >= wish.sureAge;

  /** How many of a photo's faces were asked for. */
  nightshift.wantedIn = (ordinal) => {
    if (NUMBERS.some((key) => wish[key] > 0)) return nightshift.facesOf(ordinal).filter(nightshift.isWanted).length;
    // Of twenty thousand photos: by a look into a table.
    return nightshift.facesIn(ordinal).reduce((sum, bits) => sum + fits[bits], 0);
  };

  /** Ordinals of the photos that were asked for, in the order that was. */
  nightshift.wantedOnes = () => {
    const isPhoto = photoTest();
    return inWishedOrder([...nightshift.entries.keys()].filter(isPhoto));
  };

  function photoTest() {
    const narrowed = nightshift.isNarrowed();
    const words = nightshift.folded(wish.name).split(/\s+/).filter(Boolean);
    const [least, most] = [Number(wish.from || 0), wish.to === "" ? Infinity : Number(wish.to)];
    const isCounted = wish.from !== "" || wish.to !== "";
    return (ordinal) => {
      const status = nightshift.statusOf(ordinal);
      if (wish.show === "failed" && status !== "failed") return false;
      const number = nightshift.facesIn(ordinal).length;
      if (wish.show === "none" && (status !== "succeeded" || number)) return false;
      if (isCounted && (status !== "succeeded" || number < least || number > most)) return false;
      if (narrowed && wish.show !== "failed" && wish.show !== "none" && !nightshift.wantedIn(ordinal)) return false;
      return !nightshift.isKnown() || isLike(ordinal, words);
    };
  }

  function isLike(ordinal, words) {
    const name = nightshift.nameOf(ordinal);
    if (!words.every((word) => soughtIn(ordinal).includes(word))) return false;
    const camera = nightshift.cameras()[nightshift.cameraOf(ordinal)] ?? "";
    return (
      isAt(nightshift.folderOf(name), wish.folder, (folder) => `${folder}/`.startsWith(`${wish.folder}/`)) &&
      isAt(nightshift.timeOf(ordinal), wish.time, (time) => time.startsWith(wish.time)) &&
      isAt(camera, wish.camera, () => camera === wish.camera)
    );
  }

  function isAt(own, wished, fits) {
    return !wished || (wished === nightshift.NONE ? !own : fits(own));
  }

  function inWishedOrder(ordinals) {
    if (wish.sort === "given" || !nightshift.isKnown()) return ordinals;
    if (wish.sort === "name") return ordinals.sort((one, other) => inOrder.compare(nightshift.nameOf(one), nightshift.nameOf(other)) || one - other);
    const keys = new Map(ordinals.map((ordinal) => [ordinal, sortKey(ordinal)]));
    return ordinals.sort((one, other) => keys.get(one) - keys.get(other) || one - other);
  }

  function sortKey(ordinal) {
    // What has no time, or no such face, comes last.
    if (wish.sort === "time") return nightshift.secondsOf(ordinal) || Number.MAX_SAFE_INTEGER;
    if (wish.sort === "faces") return -nightshift.wantedIn(ordinal);
    const faces = nightshift.facesOf(ordinal).filter(nightshift.isWanted);
    return Math.min(2, ...faces.map((face) => (wish.sort === "gender" ? face.genderSure : face.ageSure)));
  }

  /** The wish as one would say it; empty for none. */
  nightshift.wishInWords = () =>
    [
      wish.show === "all" ? "" : { none: "no face", failed: "failed" }[wish.show] ?? nightshift.words(wish.show.replace("-", "_")),
      wish.gender.map((one) => nightshift.GENDERS[one]).join(" or "),
      wish.age.map(nightshift.ageLabel).join(" or "),
      wish.name && `name with “${wish.name}”`,
      wish.folder === nightshift.NONE ? nightshift.WITHOUT.folder : wish.folder && `folder ${wish.folder}`,
      wish.camera === nightshift.NONE ? nightshift.WITHOUT.camera : wish.camera,
      wish.time === nightshift.NONE ? nightshift.WITHOUT.time : wish.time.replace("T", ", hour "),
      (wish.from || wish.to) && `${wish.from || 0} to ${wish.to || "any number of"} faces`,
      ...[["detector", "detector"], ["sureGender", "gender"], ["sureAge", "age group"]].map(([key, said]) => wish[key] && `${said} at least ${wish[key]}%`),
    ]
      .filter(Boolean)
      .join(" · ");

  /** The wish as the end of an address, such as `gender=female&age=20-29`; empty for none. */
  nightshift.wishAsText = () => {
    const said = new URLSearchParams();
    for (const [key, nothing] of Object.entries(NOTHING)) {
      if (String(wish[key]) === String(nothing)) continue;
      const spoken = { gender: (one) => nightshift.GENDERS[one], age: (one) => nightshift.data.labels[one] }[key];
      said.set(key, spoken ? wish[key].map(spoken).join(" ") : wish[key]);
    }
    return said.toString();
  };

  /** Ask for what an address says; of what it does not know, nothing. */
  nightshift.askByText = (text) => {
    const said = new URLSearchParams(text);
    const asked = {};
    for (const [key, nothing] of Object.entries(NOTHING)) {
      const value = said.get(key);
      if (value === null) continue;
      if (LISTS.includes(key)) {
        const known = key === "gender" ? nightshift.GENDERS : nightshift.data.labels;
        asked[key] = value.split(" ").map((one) => known.indexOf(one)).filter((at) => at >= 0);
      } else if (NUMBERS.includes(key)) asked[key] = Math.min(100, Math.max(0, Number(value) || 0));
      else if (key === "from" || key === "to") asked[key] = /^\d{1,4}$/.test(value) ? value : nothing;
      else asked[key] = value;
    }
    if (!SHOWS.includes(asked.show)) delete asked.show;
    if (!nightshift.SORTS.some(([sort]) => sort === asked.sort)) delete asked.sort;
    nightshift.ask(asked);
  };
}
