"use strict";
/* The head of the page: what job this was, the large numbers, the failures, the provenance. */

{
  const { element, byId } = nightshift;
  const OUTCOMES = {
    succeeded: "Every photo succeeded",
    partial: "Finished; some photos failed",
    failed: "Every photo failed",
    cancelled: "Cancelled; what was found by then",
    expired: "Expired; what was found by then",
  };

  /** Fill in everything above the photos but the charts. */
  nightshift.showOverview = (tally) => {
    showHead();
    showNumbers(tally);
    showFailures();
    showProvenance();
    byId("notice").textContent = `${nightshift.data.notice} ${nightshift.data.not_people}`;
  };

  function showHead() {
    const { job, counts, downloads } = nightshift.data;
    const given = nightshift.data.from || nightshift.data.archive;
    const title = job.label || given || "Photo report";
    byId("title").textContent = title;
    document.title = title === "Photo report" ? title : `${title} – photo report`;
    const outcome = job.outcome ? OUTCOMES[job.outcome] ?? nightshift.words(job.outcome) : null;
    const from = job.label && given && given !== job.label ? `from ${given}` : null;
    byId("subtitle").textContent = [day(job.started_at ?? job.created_at), from, outcome].filter(Boolean).join(" · ");
    byId("in-words").textContent = inWords(nightshift.tally);
    const missing = counts.total - nightshift.data.total;
    if (job.state !== "ended" || missing > 0) {
      const { number } = nightshift;
      byId("partial").textContent =
        `A partial report: the job was ${job.state} when it was written, and ` +
        `${number(nightshift.data.total)} of its ${nightshift.count(counts.total, "photo")} were done.`;
      byId("partial").hidden = false;
    }
    byId("downloads").append(
      ...downloads.map((name) =>
        element("li", {}, element("a", { href: name, download: name }, name)),
      ),
    );
  }

  /** What was found, as one would say it. */
  function inWords(tally) {
    if (!tally.photos) return "";
    const { count, number } = nightshift;
    const some = tally.succeeded - tally.noFace;
    const found = tally.faces
      ? `${count(tally.faces, "face")} in ${number(some)} of ${count(tally.photos, "photo")}`
      : `No face in ${count(tally.photos, "photo")}`;
    const [female, male] = [0, 1].map((gender) => tally.ages.reduce((sum, genders) => sum + genders[gender].sure + genders[gender].unsure, 0));
    const ages = tally.ages.map((genders) => genders.reduce((sum, { sure, unsure }) => sum + sure + unsure, 0));
    const most = nightshift.ageLabel(ages.indexOf(Math.max(...ages)));
    const seen = tally.faces ? `: ${number(female)} apparently female, ${number(male)} apparently male; the largest age group is ${most}` : "";
    const unread = tally.failed ? ` ${count(tally.failed, "photo")} could not be read.` : "";
    return `${found}${seen}.${unread}`;
  }

  function showNumbers(tally) {
    const { number, percent } = nightshift;
    const fine = tally.succeeded === tally.photos ? "all analysed" : `${number(tally.succeeded)} analysed`;
    const share = (unsure) => (tally.faces ? `${percent(unsure / tally.faces)} of all` : "");
    const numbers = [
      ["Photos", tally.photos, tally.photos ? fine : ""],
      ["Faces", tally.faces, tally.succeeded ? `${(tally.faces / tally.succeeded).toFixed(1)} a photo` : ""],
      ["Faces of uncertain gender", tally.unsureGenders, share(tally.unsureGenders)],
      ["Faces of uncertain age", tally.unsureAges, share(tally.unsureAges)],
      ["No face", tally.noFace, tally.noFace === 1 ? "photo" : "photos"],
      ["Failed", tally.failed, tally.failed === 1 ? "photo" : "photos"],
    ];
    byId("numbers").append(
      ...numbers.map(([name, value, note]) =>
        element(
          "div",
          { class: name === "Failed" && value ? "number bad" : "number" },
          element("dt", {}, name),
          element("dd", {}, number(value), element("small", {}, note)),
        ),
      ),
    );
  }

  function showFailures() {
    const { failures, failed } = nightshift.data;
    const all = nightshift.tally.failed;
    if (!failed.length && !failures.length) return;
    byId("failures").hidden = false;
    byId("failures-line").textContent = failures.map(([code, number]) => `${nightshift.number(number)} ${nightshift.words(code)}`).join(", ");
    byId("failure-codes").append(
      ...failures.map(([code, number]) =>
        element("li", {}, element("span", { class: "code" }, code), ` ${nightshift.number(number)}`),
      ),
    );
    byId("failure-rows").append(
      ...failed.map(([ordinal, name, code, message]) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, opener(ordinal, name)),
          element("td", {}, element("span", { class: "code" }, code)),
          element("td", {}, message),
        ),
      ),
    );
    if (all > failed.length) {
      const more = byId("failures-more");
      more.hidden = false;
      const button = element("button", { type: "button", class: "plain" }, "Show all of them among the photos");
      button.addEventListener("click", () => nightshift.showOnly({ show: "failed" }));
      more.append(`The first ${nightshift.number(failed.length)} of ${nightshift.number(all)}. `, button);
    }
  }

  function opener(ordinal, name) {
    const button = element("button", { type: "button", class: "plain" }, name);
    button.addEventListener("click", () => nightshift.view([ordinal], 0, button));
    return button;
  }

  function showProvenance() {
    const { job, counts, options, version, written_at, commercial_use: use } = nightshift.data;
    const bundle = job.bundle;
    const took = seconds(job.started_at, job.ended_at);
    const { number } = nightshift;
    const photos = ["succeeded", "failed", "cancelled", "running", "queued"]
      .filter((status) => counts[status])
      .map((status) => `${number(counts[status])} ${status}`);
    const facts = [
      ["Job", job.id],
      ["Weights", bundle ? bundle.name : null],
      ["SHA-256 of the weights", bundle ? bundle.sha256 : null],
      ["Commercial use of the weights", `${use.allowed}: ${use.reason}`],
      ["Begun", moment(job.started_at)],
      ["Ended", moment(job.ended_at)],
      ["Took", took === null ? null : duration(took)],
      ["Speed", job.photos_per_second ? `${job.photos_per_second.toFixed(1)} photos a second` : null],
      ["Photos", `${number(counts.total)}: ${photos.join(", ") || "none"}`],
      ...nightshift.data.beside,
      ["Reused from earlier jobs", number(nightshift.data.reused)],
      ["Duplicates within this job", number(nightshift.data.duplicates)],
      ["Results expire", moment(job.results_expire_at)],
      ["Report written", moment(written_at)],
      ["Nightshift", version],
      ...options.map(([name, value]) => [`Option ${name}`, value]),
    ].filter(([, value]) => value !== null);
    byId("facts").append(
      ...facts.map(([name, value]) =>
        element("div", { class: value.length > 50 ? "long" : null }, element("dt", {}, name), element("dd", {}, value)),
      ),
    );
    byId("provenance-line").textContent = [bundle?.name, took === null ? null : duration(took)]
      .filter(Boolean)
      .join(" · ");
    byId("colophon").textContent = `Written by Nightshift ${version}, ${moment(written_at)}. ${job.id}`;
  }

  function day(text) {
    return text ? new Intl.DateTimeFormat("en-GB", { dateStyle: "long" }).format(new Date(text)) : null;
  }

  function moment(text) {
    const style = { dateStyle: "medium", timeStyle: "medium" };
    return text ? new Intl.DateTimeFormat("en-GB", style).format(new Date(text)) : null;
  }

  function seconds(from, to) {
    return from && to ? (new Date(to) - new Date(from)) / 1000 : null;
  }

  function duration(all) {
    const rounded = Math.round(all);
    const [h, min, s] = [Math.floor(rounded / 3600), Math.floor(rounded / 60) % 60, rounded % 60];
    return [h && `${h} h`, min && `${min} min`, (s || !rounded) && !h && `${s} s`].filter(Boolean).join(" ");
  }
}
