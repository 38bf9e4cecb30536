"use strict";
/* Two charts in SVG, drawn to the width there is, each with the same numbers as a table. */

{
  const { drawing, element, number } = nightshift;
  // Of a chart, pixels; it is made narrower where there is less room.
  const ON_PAPER = 520;
  const undrawn = [];
  const CROWDS = [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 9], [10, 19], [20, Infinity]];

  /** Add up what the charts and the large numbers show, from the index alone. */
  nightshift.tallyUp = () => {
    const tally = { photos: 0, succeeded: 0, failed: 0, noFace: 0, faces: 0 };
    Object.assign(tally, { unsureGenders: 0, unsureAges: 0, unsureGenderPhotos: 0, unsureAgePhotos: 0 });
    // By their age group being sure or not, and besides how many genders are not.
    const nobody = () => ({ sure: 0, unsure: 0, unsureGender: 0 });
    tally.ages = nightshift.data.labels.map(() => [nobody(), nobody()]);
    tally.crowds = CROWDS.map(() => 0);
    nightshift.entries.forEach((_, ordinal) => {
      tally.photos += 1;
      const status = nightshift.statusOf(ordinal);
      if (status === "failed") tally.failed += 1;
      if (status !== "succeeded") return;
      const faces = nightshift.facesIn(ordinal).map(nightshift.faceOf);
      const unsureGenders = faces.filter((face) => face.genderUncertain).length;
      const unsureAges = faces.filter((face) => face.ageUncertain).length;
      tally.succeeded += 1;
      tally.noFace += faces.length ? 0 : 1;
      tally.faces += faces.length;
      tally.unsureGenders += unsureGenders;
      tally.unsureAges += unsureAges;
      tally.unsureGenderPhotos += unsureGenders ? 1 : 0;
      tally.unsureAgePhotos += unsureAges ? 1 : 0;
      tally.crowds[CROWDS.findIndex(([, most]) => faces.length <= most)] += 1;
      faces.forEach((face) => {
        const alike = tally.ages[face.age][face.gender];
        alike[face.ageUncertain ? "unsure" : "sure"] += 1;
        if (face.genderUncertain) alike.unsureGender += 1;
      });
    });
    return tally;
  };

  /** Draw both charts, again whenever their width changes. */
  nightshift.showCharts = (tally) => {
    const crowds = crowdRows(tally);
    drawn("ages", (width) => ageChart(tally.ages, width));
    drawn("crowds", (width) => crowdChart(crowds, width));
    const heads = ["Female", "age uncertain", "gender uncertain", "Male", "age uncertain", "gender uncertain"];
    tabled("ages", ["Apparent age", ...heads], ageRows(tally.ages));
    tabled("crowds", ["Faces", "Photos"], crowds);
  };

  /** Draw what has not been on the screen yet, and is to be on paper. */
  nightshift.drawForPaper = () => undrawn.forEach((draw) => draw());

  function drawn(id, draw) {
    const plot = document.querySelector(`#${id} .plot`);
    let width = 0;
    undrawn.push(() => {
      if (!plot.childElementCount) plot.replaceChildren(draw(ON_PAPER));
    });
    new ResizeObserver(() => {
      if (Math.abs(plot.clientWidth - width) < 2) return;
      width = plot.clientWidth;
      plot.replaceChildren(draw(width));
    }).observe(plot);
  }

  function tabled(id, heads, rows) {
    const cells = ([head, ...rest]) => [
      element("th", { scope: "row" }, head),
      ...rest.map((value) => element("td", {}, number(value))),
    ];
    const table = element(
      "table",
      {},
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, cells(row)))),
    );
    nightshift.byId(id).append(
      element("details", { class: "as-table" }, element("summary", {}, "As a table"), table),
    );
  }

  function ageRows(ages) {
    return ages.map(([female, male], age) => [
      nightshift.ageLabel(age),
      ...[female, male].flatMap(({ sure, unsure, unsureGender }) => [sure + unsure, unsure, unsureGender]),
    ]);
  }

  function crowdRows(tally) {
    const last = tally.crowds.findLastIndex((photos) => photos);
    return CROWDS.slice(0, Math.max(4, last + 1)).map(([least, most], index) => [
      most === Infinity ? `${least}+` : least === most ? String(least) : `${least}–${most}`,
      tally.crowds[index],
    ]);
  }

  function ageChart(ages, width) {
    const [left, right, bar, gap] = [56, 52, 12, 13];
    const step = 2 * bar + 3 + gap;
    const most = Math.max(1, ...ages.flat().map(({ sure, unsure }) => sure + unsure));
    const scale = (value) => (value / most) * Math.max(10, width - left - right);
    const rows = ages.map((genders, age) => {
      const top = age * step + gap / 2;
      const bars = genders.map(({ sure, unsure }, gender) => {
        const y = top + gender * (bar + 3);
        const name = nightshift.GENDERS[gender];
        const total = sure + unsure;
        return drawing(
          "g",
          {},
          sure ? drawing("rect", { class: `bar ${name}`, x: left, y, width: scale(sure), height: bar, rx: 2 }) : null,
          unsure ? drawing("rect", { class: `bar unsure ${name}`, x: left + scale(sure) + (sure ? 1 : 0), y, width: Math.max(1.5, scale(unsure)), height: bar, rx: 2 }) : null,
          total ? drawing("text", { class: "value", x: left + scale(total) + 8, y: y + bar - 2 }, number(total)) : null,
        );
      });
      const label = drawing("text", { class: "axis", x: left - 12, y: top + bar + 5, "text-anchor": "end" }, nightshift.ageLabel(age));
      return drawing("g", {}, label, bars);
    });
    const [age, gender] = peak(ages);
    const summary = `Bars of faces by apparent age group and gender. The most: ${nightshift.GENDERS[gender]} ${nightshift.ageLabel(age)}. The table below has all numbers.`;
    const line = drawing("rect", { class: "base", x: left - 1, y: 0, width: 1, height: ages.length * step });
    return photoPlots.plot(drawing, width, ages.length * step, summary, hatches(), line, rows);
  }

  function peak(ages) {
    const flat = ages.flatMap((genders, age) => genders.map(({ sure, unsure }, gender) => [age, gender, sure + unsure]));
    return flat.reduce((best, next) => (next[2] > best[2] ? next : best));
  }

  function hatches() {
    return drawing(
      "defs",
      {},
      nightshift.GENDERS.map((name) =>
        drawing(
          "pattern",
          { id: `hatch-${name}`, class: name, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
          drawing("rect", { class: "hatch-ground", width: 6, height: 6 }),
          drawing("rect", { class: "hatch-line", width: 2.5, height: 6 }),
        ),
      ),
    );
  }

  function crowdChart(rows, width) {
    const summary = "Columns of photos by the number of faces in them. The table below has all numbers.";
    return photoPlots.columns(drawing, rows.map(([label, photos]) => [label, photos, number(photos)]), width, summary);
  }
}
