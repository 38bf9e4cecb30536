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
  const SURE = { confidence: 1, genderSure: 1, ageSure: 1 };
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const pages = new Map();
  const asked = new Set();
  const listeners = [];
  const toKnow = [];
  const details = { names: null, times: [], cameras: [], camera_of: [], certainties: [] };

  nightshift.GENDERS = ["female", "male"];

  /** What six bits say of a face. */
  nightshift.faceOf = (bits) => ({
    gender: bits & 1,
    age: (bits >> 1) & 7,
    genderUncertain: Boolean(bits & 16),
    ageUncertain: Boolean(bits & 32),
  });

  nightshift.sureFaceOf = (bits) => ({ ...nightshift.faceOf(bits), ...SURE });

  /** Called by data.js. */
  nightshift.receive = (data) => {
    nightshift.data = data;
    nightshift.entries = data.total ? data.index.split(" ") : [];
    nightshift.start();
  };

  /** Called by page-0001.js and so on. */
  nightshift.page = (number, rows) => {
    pages.set(number, rows);
    [...listeners].forEach((listener) => listener());
  };

  /** Called by index.js, after the first photos are on the screen. */
  nightshift.know = (known) => {
    Object.assign(details, known, { certainties: known.certainties.split(" ") });
    toKnow.splice(0).forEach((listener) => listener());
  };

  /** Have `listener` called once names, times, cameras and certainties are known. */
  nightshift.onKnown = (listener) => (details.names ? listener() : toKnow.push(listener));

  nightshift.isKnown = () => details.names !== null;
  nightshift.nameOf = (ordinal) => details.names[ordinal];
  nightshift.cameras = () => details.cameras;

  /** Place of the photo's camera among `cameras()`; -1 for none. */
  nightshift.cameraOf = (ordinal) => details.camera_of[ordinal] ?? -1;

  /** What the camera's clock showed, such as `2026-05-30T21:04:59`; empty where it said nothing. */
  nightshift.timeOf = (ordinal) => {
    const seconds = details.times[ordinal];
    return seconds ? new Date(seconds * 1000).toISOString().slice(0, 19) : "";
  };

  nightshift.secondsOf = (ordinal) => details.times[ordinal] ?? 0;
  nightshift.hasTimes = () => details.times.length > 0;

  /** The folder a name is in, without a slash at its end; empty for none. */
  nightshift.folderOf = (name) => name.slice(0, Math.max(0, name.lastIndexOf("/")));

  /** Have `listener` called whenever more photos are known. */
  nightshift.onPage = (listener) => listeners.push(listener);

  /** `failed`, `cancelled`, `waiting`, or `succeeded`. */
  nightshift.statusOf = (ordinal) => STATUSES[nightshift.entries[ordinal]] ?? "succeeded";

  /** Six bits of each face of a photo. */
  nightshift.facesIn = (ordinal) =>
    nightshift.statusOf(ordinal) === "succeeded"
      ? Array.from(nightshift.entries[ordinal], (character) => CODES.get(character))
      : [];

  /** The same with how sure each answer is, 0-1; that is 1 until it is known. */
  nightshift.facesOf = (ordinal) => {
    const sure = details.certainties[ordinal] ?? "";
    const share = (at) => (sure ? (CODES.get(sure[at]) * 64 + CODES.get(sure[at + 1])) / 1000 : 1);
    return nightshift.facesIn(ordinal).map((bits, index) => ({
      ...nightshift.faceOf(bits),
      confidence: share(6 * index),
      genderSure: share(6 * index + 2),
      ageSure: share(6 * index + 4),
    }));
  };

  /** All these photos, once their pages are there. */
  nightshift.photosOf = (ordinals) =>
    new Promise((resolve) => {
      const look = () => {
        let isAll = true;
        // Every page is asked for, not the first that is missing alone.
        const photos = ordinals.map((ordinal) => nightshift.photo(ordinal) ?? (isAll = false));
        if (isAll) {
          listeners.splice(listeners.indexOf(look), 1);
          resolve(photos);
        }
      };
      listeners.push(look);
      look();
    });

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

  /** A photo, or null where its page has not been read; none is asked for. */
  nightshift.photoIfRead = (ordinal) =>
    pages.has(Math.floor(ordinal / nightshift.data.page_photos) + 1) ? nightshift.photo(ordinal) : null;

  function askFor(number) {
    if (asked.has(number)) return;
    asked.add(number);
    load(`page-${String(number).padStart(4, "0")}.js`, () => nightshift.page(number, null));
  }

  /** Have names, times, cameras and certainties read; without that file the page does without them. */
  nightshift.askForIndex = () => load("index.js", () => {});

  function load(name, failed) {
    const script = document.createElement("script");
    script.src = folder + name;
    script.addEventListener("error", failed);
    document.head.append(script);
  }

  /** Stands for a photo whose data file was lost, as when only a part of the report was copied. */
  function missing(ordinal) {
    const error = { code: "missing", stage: "report", message: "The report's data of this photo is missing." };
    return { name: `Photo ${ordinal + 1}`, id: "", status: "missing", thumbnail: null, original: null, faces: [], error, warnings: [] };
  }

  function named([name, id, status, shown, width, height, faces, error, warnings, reused, original]) {
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
      original,
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
      genderSure: Math.max(female, 1000 - female) / 1000,
      ageSure: ages[(bits >> 1) & 7] / 1000,
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
