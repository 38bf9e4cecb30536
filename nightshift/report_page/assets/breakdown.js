"use strict";
/* The photos by hour, by folder and by camera: lists of bars, each of which shows its photos. */

{
  const { element, byId, number } = nightshift;
  const MOST_HOURS = 48;
  const SHOWN = 100;
  const inOrder = new Intl.Collator("en", { numeric: true });

  /** Say what lists there are; they are filled in when they are looked at. */
  nightshift.showBreakdown = () => {
    const all = [...nightshift.entries.keys()];
    const hours = new Set(all.map((ordinal) => Math.floor(nightshift.secondsOf(ordinal) / 3600)).filter(Boolean)).size;
    const folders = new Set(all.map((ordinal) => nightshift.folderOf(nightshift.nameOf(ordinal))).filter(Boolean)).size;
    const cameras = nightshift.cameras().length;
    byId("breakdown").hidden = !hours && folders < 2 && !cameras;
    byId("breakdown-line").textContent = [
      hours && nightshift.count(hours, "hour"),
      folders > 1 && nightshift.count(folders, "folder"),
      cameras && nightshift.count(cameras, "camera"),
    ]
      .filter(Boolean)
      .join(" · ");
    byId("breakdown").addEventListener("toggle", nightshift.fillBreakdown);
  };

  /** Fill the lists in, once, as far as anything is known of the photos. */
  nightshift.fillBreakdown = () => {
    if (byId("breakdown").hidden || byId("breakdown-lists").childElementCount) return;
    const hours = groups((ordinal) => nightshift.timeOf(ordinal).slice(0, 13));
    const times = hours.length > MOST_HOURS ? groups((ordinal) => nightshift.timeOf(ordinal).slice(0, 10)) : hours;
    const folders = groups((ordinal) => nightshift.folderOf(nightshift.nameOf(ordinal)));
    const lists = [
      [times === hours ? "By hour" : "By day", times, "time", said, "by the cameras' own clocks"],
      ["By folder", folders, "folder", String, ""],
      ["By camera", groups((ordinal) => nightshift.cameras()[nightshift.cameraOf(ordinal)] ?? ""), "camera", String, ""],
    ].filter(([head, found]) => found.some(({ key }) => key !== nightshift.NONE) && (found.length > 1 || head !== "By folder"));
    byId("breakdown-lists").replaceChildren(...lists.map(list));
  };

  /** Photos and faces by a key, in its order; what has none comes last, so that the rows add up to all photos. */
  function groups(keyOf) {
    const found = new Map();
    for (const ordinal of nightshift.entries.keys()) {
      const key = keyOf(ordinal) || nightshift.NONE;
      const group = found.get(key) ?? { key, photos: 0, faces: 0 };
      group.photos += 1;
      group.faces += nightshift.facesIn(ordinal).length;
      found.set(key, group);
    }
    const isRest = ({ key }) => Number(key === nightshift.NONE);
    return [...found.values()].sort((one, other) => isRest(one) - isRest(other) || inOrder.compare(one.key, other.key));
  }

  /** `2026-05-30T21` as `30 May 2026, 21:00`: old photos lie among those of tonight. */
  function said(time) {
    const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(new Date(time.slice(0, 10)));
    return time.length > 10 ? `${day}, ${time.slice(11)}:00` : day;
  }

  function list([head, found, field, words, note]) {
    const most = Math.max(...found.map(({ photos }) => photos));
    const known = found.filter(({ key }) => key !== nightshift.NONE);
    const shown = [...known.slice(0, SHOWN), ...found.slice(known.length)];
    const rows = shown.map(({ key, photos, faces }) => {
      const [name, title] = key === nightshift.NONE ? [nightshift.WITHOUT[field], ""] : [words(key), key];
      const bar = element("span", { class: "share", "aria-hidden": "true" });
      bar.style.width = `${(100 * photos) / most}%`;
      const counts = `${nightshift.count(photos, "photo")}, ${nightshift.count(faces, "face")}`;
      const button = element("button", { type: "button", title }, bar, element("span", { class: "key" }, name), element("span", { class: "counts" }, counts));
      button.addEventListener("click", () => nightshift.showOnly({ [field]: key }));
      return element("li", {}, button);
    });
    const more = known.length - SHOWN;
    return element(
      "section",
      {},
      element("h3", {}, head, note ? element("small", {}, ` ${note}`) : null),
      element("ul", {}, rows),
      more > 0 ? element("p", { class: "more" }, `and ${number(more)} more`) : null,
    );
  }
}
