// A job in numbers: shares of apparent genders and age groups, each in its interval, as bars, a table and CSV.
import type { Job, Summary } from "./api";
import { useAsked } from "./asking";
import { save, savePicture } from "./saving";
import { lyingBars } from "./shared/plots";
import { count, percent, words } from "./words";

const Z = 1.959964;

/** Wilson's score interval (1927) of a share, at 95 %. */
export function interval(part: number, of: number): [number, number] {
  if (!of) return [0, 1];
  const share = part / of;
  const scale = 1 + Z ** 2 / of;
  const middle = (share + Z ** 2 / (2 * of)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / of + Z ** 2 / (4 * of ** 2));
  // None and all of them bound it exactly, which sums of fractions miss by a hair.
  return [part === 0 ? 0 : middle - half, part === of ? 1 : middle + half];
}


type Row = [name: string, part: number];

function rowsOf({ gender, age_group: ages }: Summary): [string, Row[]][] {
  const said = words.faces;
  return [
    [said.gender, [[said.female, gender.female], [said.male, gender.male]]],
    [said.age, Object.entries(ages)],
  ];
}

function saveTable(job: Job, of: number, tables: [string, Row[]][]): void {
  const rows = tables.flatMap(([table, parts]) => parts.map(([name, part]) => [table, name, part, of ? part / of : 0, ...interval(part, of)].map(String)));
  save(`${job.id}-numbers.csv`, [["of", "label", "faces", "share", "low", "high"], ...rows]);
}

/** Both tables as one drawing; the page shows them as bars in a table, which no picture is made of. */
async function savePictures(job: Job, of: number, tables: [string, Row[]][]): Promise<void> {
  const bars = tables.flatMap(([, parts]) => parts.map(([name, part]): [string, number, string, number, number] => [name, part / of, percent(part / of), ...interval(part, of)]));
  const place = document.getElementById("shares")!.closest(".card")!.querySelector<HTMLElement>(".drawn")!;
  place.replaceChildren(lyingBars(bars, 640, words.shares.title));
  await savePicture(`${job.id}-numbers.png`, place.querySelector("svg")!, words.shares.title);
  place.replaceChildren();
}

function Share({ name, part, of }: { name: string; part: number; of: number }) {
  const [low, high] = interval(part, of);
  return (
    <tr>
      <th scope="row"><bdi>{name}</bdi></th>
      <td class="figure">{count(part)}</td>
      <td class="figure">{percent(of ? part / of : 0)}</td>
      <td class="figure soft">{percent(low)} – {percent(high)}</td>
      <td class="bar" aria-hidden="true">
        <span class="part" style={{ width: `${(100 * part) / of}%` }} />
        <span class="whisker" style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }} />
      </td>
    </tr>
  );
}

export function Numbers({ job }: { job: Job }) {
  const summary = useAsked<Summary>(job.faces ? `/v1/jobs/${job.id}/summary` : undefined, 0, job.faces).answer;
  const said = words.shares;
  if (!summary?.faces) return null;
  const tables = rowsOf(summary);
  return (
    <section class="card" aria-labelledby="shares">
      <div class="section-head">
        <h2 id="shares">{said.title}</h2>
        <span class="buttons">
          <button type="button" class="quiet" aria-label={words.charts.savePicture(said.title)} onClick={() => void savePictures(job, summary.faces, tables)}>PNG</button>
          <button type="button" class="quiet" aria-label={said.save} onClick={() => saveTable(job, summary.faces, tables)}>CSV</button>
        </span>
      </div>
      <p class="soft">{said.unsure(count(summary.uncertain_gender), count(summary.uncertain_age_group), count(summary.faces))}</p>
      <div class="wide">
        {tables.map(([name, rows]) => (
          <table key={name} class="shares">
            <thead><tr><th scope="col">{name}</th><th scope="col">{said.faces}</th><th scope="col">{said.share}</th><th scope="col">{said.interval}</th><td /></tr></thead>
            <tbody>{rows.map(([label, part]) => <Share key={label} name={label} part={part} of={summary.faces} />)}</tbody>
          </table>
        ))}
      </div>
      <p class="soft">{said.notPeople}</p>
      <div class="drawn plot unseen" aria-hidden="true" />
    </section>
  );
}
