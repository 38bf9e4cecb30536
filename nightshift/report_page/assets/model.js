"use strict";
/* What the report knows: an index over all photos, and the photos themselves, page by page as they
 * are looked at. The data files are scripts, since a page opened from disk may load nothing else;
 * rows.py says what their fields are. */

const nightshift = {};

{
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const CODES = new Map([...ALPHABET].map((character, bits) => [character, bits]));
  const STATUSES = { "!": "failed", ".": "cancelled", "?": "waiting" };
  const WIDEST = 3;
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const pages = new Map();
  const asked = new Set();
  const listeners = [];

  nightshift.GENDERS = ["female", "male"];

  /** What six bits say of a face. */
  nightshift.faceOf = (bits) => ({
    gender: bits & 1,
    age: (bits >> 1) & 7,
    genderUncertain: Boolean(bits & 16),
    ageUncertain: Boolean(bits & 32),
  });

  /** Called by data.js. */
  nightshift.receive = (data) => {
    nightshift.data = data;
    nightshift.entries = data.total ? data.index.split(" ") : [];
    nightshift.start();
  };

  /** Called by page-0001.js and so on. */
  nightshift.page = (number, rows) => {
    pages.set(number, rows);
    listeners.forEach((listener) => listener());
  };

  /** Have `listener` called whenever more photos are known. */
  nightshift.onPage = (listener) => listeners.push(listener);

  /** `failed`, `cancelled`, `waiting`, or `succeeded`. */
  nightshift.statusOf = (ordinal) => STATUSES[nightshift.entries[ordinal]] ?? "succeeded";

  /** Six bits of each face of a photo. */
  nightshift.facesIn = (ordinal) =>
    nightshift.statusOf(ordinal) === "succeeded"
      ? Array.from(nightshift.entries[ordinal], (character) => CODES.get(character))
      : [];

  /** Width through height. */
  nightshift.ratioOf = (ordinal) => WIDEST ** ((CODES.get(nightshift.data.shapes[ordinal]) / 63) * 2 - 1);

  /** A photo, or null until its page is there, which is then asked for. */
  nightshift.photo = (ordinal) => {
    const number = Math.floor(ordinal / nightshift.data.page_photos) + 1;
    const rows = pages.get(number);
    if (rows === undefined) {
      askFor(number);
      return null;
    }
    if (rows === null) return missing(ordinal);
    return named(rows[ordinal % nightshift.data.page_photos]);
  };

  function askFor(number) {
    if (asked.has(number)) return;
    asked.add(number);
    const script = document.createElement("script");
    script.src = `${folder}page-${String(number).padStart(4, "0")}.js`;
    script.addEventListener("error", () => nightshift.page(number, null));
    document.head.append(script);
  }

  /** Stands for a photo whose data file was lost, as when only a part of the report was copied. */
  function missing(ordinal) {
    const error = { code: "missing", stage: "report", message: "The report's data of this photo is missing." };
    return { name: `Photo ${ordinal + 1}`, id: "", status: "missing", thumbnail: null, faces: [], error, warnings: [] };
  }

  function named([name, id, status, shown, width, height, faces, error, warnings, reused]) {
    return {
      name,
      id,
      status,
      thumbnail: shown ? `${folder}thumbnails/${id.slice(-2)}/${id}.webp` : null,
      width,
      height,
      faces: faces.map(namedFace),
      error: error && { code: error[0], stage: error[1], message: error[2] },
      warnings,
      reused: Boolean(reused),
    };
  }

  /** Reasons as people say them; one of a newer version as it is. */
  function inWords(reasons) {
    const words = new Map(nightshift.data.doubts);
    return reasons.split(" ").filter(Boolean).map((reason) => words.get(reason) ?? nightshift.words(reason));
  }

  function namedFace([x1, y1, x2, y2, bits, confidence, female, ages, years, tilt, range, genderDoubts, ageDoubts]) {
    const inside = (edge) => Math.min(1, Math.max(0, edge / 10000));
    return {
      ...nightshift.faceOf(bits),
      bits,
      box: { x1: inside(x1), y1: inside(y1), x2: inside(x2), y2: inside(y2) },
      confidence: confidence / 1000,
      female: female / 1000,
      ages: ages.map((age) => age / 1000),
      years,
      tilt,
      range: range.replace("-", "–"),
      genderDoubts: inWords(genderDoubts),
      ageDoubts: inWords(ageDoubts),
      // What is the matter with the face itself; both labels say it.
      marks: inWords(ageDoubts.replace("close_call", "")),
    };
  }
}
