"use strict";
/* The photos that are shown, to take along: as names, as a table, or as a command. All is made here. */

{
  const { byId } = nightshift;
  // As in `photos.csv` (shared/reads/table.py): an apostrophe before all that could begin a formula.
  const SIGNS = "=+\\-@\\uff1d\\uff0b\\uff0d\\uff20\\ufe66\\ufe62\\ufe63\\ufe6b\\u207a\\u207b\\u207c\\u208a\\u208b\\u208c\\u2212";
  const FORMULA = `[\\x00-\\x20\\s\\x85\\u200b\\ufeff"']*[${SIGNS}]`;
  const ARMED = new RegExp(`^(?='*[\\t\\r]|${FORMULA})|(?:(?<=[;\\n\\r])|(?<=.\\t))(?=${FORMULA})`, "gs");

  nightshift.startLists = () => {
    const actions = {
      "copy-names": async () => copied((await names()).join("\n"), "name"),
      "save-names": async () => saved("photos.txt", `${(await names()).join("\n")}\n`, "text/plain"),
      "save-csv": async () => saved("photos-shown.csv", await table(), "text/csv"),
      "copy-command": command,
      print: () => nightshift.printShown(),
    };
    for (const button of document.querySelectorAll("[data-list]")) {
      button.addEventListener("click", async () => {
        say("One moment …");
        say((await actions[button.dataset.list]()) ?? "");
      });
    }
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  };

  function say(text) {
    byId("list-said").textContent = text;
  }

  const photos = () => nightshift.photosOf(nightshift.shownOnes());

  async function names() {
    return (await photos()).map(({ name }) => name);
  }

  async function copied(text, what) {
    const said = `${nightshift.count(nightshift.shownOnes().length, what)} copied.`;
    try {
      await navigator.clipboard.writeText(text);
      return said;
    } catch {
      // A page from a disk is not let near the clipboard everywhere.
      const area = document.createElement("textarea");
      area.value = text;
      byId("list").append(area);
      area.select();
      const isDone = document.execCommand("copy");
      area.remove();
      return isDone ? said : "This browser does not let a page copy: save the list instead.";
    }
  }

  function saved(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return `${nightshift.count(nightshift.shownOnes().length, "photo")} saved as ${name}.`;
  }

  async function table() {
    const ordinals = nightshift.shownOnes();
    const heads = ["custom_id", "status", "faces", "faces_shown", "female", "male", "taken_at", "camera", "file"];
    const rows = (await photos()).map((photo, at) => {
      const shown = photo.faces.filter(nightshift.isWanted);
      const ofGender = (gender) => shown.filter((face) => face.gender === gender).length;
      const camera = nightshift.cameras()[nightshift.cameraOf(ordinals[at])] ?? "";
      return [photo.name, photo.status, photo.faces.length, shown.length, ofGender(0), ofGender(1), nightshift.timeOf(ordinals[at]), camera, photo.original ?? ""];
    });
    // With the mark by which spreadsheets know UTF-8.
    return `\ufeff${[heads, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
  }

  /** A cell in which no spreadsheet finds a formula. */
  function cell(value) {
    const text = typeof value === "string" ? value.replace(ARMED, "'") : String(value);
    return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  /** `cp`, a line a photo: what is there already stays, folders become part of the name. */
  async function command() {
    const there = (await photos()).filter(({ original }) => original);
    if (!there.length) return "None of these is a file of this disk, so there is no command to copy.";
    const lines = there.map(({ name, original }) => {
      const path = new URL(original).pathname;
      return `cp -n -- ${quoted(bytesOf(path))} ${quoted([...new TextEncoder().encode(`selection/${name.replaceAll("/", "_")}`)])}`;
    });
    await copied(`mkdir -p selection\n${lines.join("\n")}\n`, "line");
    return `A command for ${nightshift.count(lines.length, "file")} copied: it puts copies into a folder “selection”.`;
  }

  /** The bytes of a percent-encoded path; names of files need not be UTF-8. */
  function bytesOf(path) {
    const text = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Array.from(text, (character) => character.charCodeAt(0));
  }

  /** Bytes as one word of a shell, in printable ASCII alone: a terminal obeys what is not. */
  function quoted(bytes) {
    const isPrintable = bytes.every((byte) => byte >= 32 && byte < 127);
    const characters = bytes.map((byte) => String.fromCharCode(byte));
    if (isPrintable) return `'${characters.join("").replaceAll("'", "'\\''")}'`;
    const spelled = bytes.map((byte, at) =>
      byte < 32 || byte > 126 ? `\\${byte.toString(8).padStart(3, "0")}` : byte === 39 || byte === 92 ? `\\${characters[at]}` : characters[at],
    );
    return `$'${spelled.join("")}'`;
  }
}
