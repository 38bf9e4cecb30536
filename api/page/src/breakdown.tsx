// A job's photos by how many faces are in them, by folder and by hour.
import { address, type Breakdown, type Job } from "./api";
import { useAsked } from "./asking";
import { Chart } from "./chart";
import { columns, lyingBars } from "./shared/plots";
import { count, hour, words } from "./words";

/** How often one that goes on is counted again. */
const EVERY_MS = 15_000;
/** From so many on they share a column. */
const MANY = 10;

type Group = Breakdown["by_folder"][number];

function crowds(found: Breakdown["by_faces"]): [string, number][] {
  const few = Array.from({ length: MANY }, (_, faces): [string, number] => [String(faces), 0]);
  const many: [string, number] = [`${MANY}+`, 0];
  for (const { faces, photos } of found) (few[faces] ?? many)[1] += photos;
  const last = Math.max(...few.map(([, photos], faces) => (photos ? faces : 0)));
  return many[1] ? [...few, many] : few.slice(0, Math.max(4, last + 1));
}

export function BreakdownView({ job }: { job: Job }) {
  const isOver = job.state === "ended";
  const found = useAsked<Breakdown>(`/v1/jobs/${job.id}/breakdown`, isOver ? 0 : EVERY_MS).answer;
  const said = words.charts;
  if (!found?.by_faces.length) return null;
  const faces = `#/jobs/${job.id}/faces`;
  const shares = (groups: Group[], inWords: (key: string) => string) => ({
    bars: groups.map(({ key, photos }): [string, number, string] => [inWords(key), photos, count(photos)]),
    rows: groups.map(({ key, photos, faces }) => [key, String(photos), String(faces)]),
    plot: lyingBars,
  });
  const folderOf = (key: string): string => key || said.noFolder;
  return (
    <section class="card" aria-labelledby="breakdown">
      <h2 id="breakdown">{said.title}</h2>
      <Chart
        name={`${job.id}-photos-by-faces`}
        title={said.byFaces}
        plot={columns}
        bars={crowds(found.by_faces).map(([label, photos]) => [label, photos, count(photos)])}
        heads={[said.faces, said.photos]}
        rows={found.by_faces.map(({ faces, photos }) => [String(faces), String(photos)])}
      />
      {found.by_hour.length > 0 && (
        <Chart
          {...shares(found.by_hour, hour)}
          name={`${job.id}-photos-by-hour`}
          title={said.byHour}
          note={said.clocks}
          heads={[said.hour, said.photos, said.faces]}
          shown={found.by_hour.map(({ key, photos, faces }) => [hour(key), count(photos), count(faces)])}
        />
      )}
      {found.folders > 1 && (
        <Chart
          {...shares(found.by_folder, folderOf)}
          name={`${job.id}-photos-by-folder`}
          title={said.byFolder}
          heads={[said.folder, said.photos, said.faces]}
          shown={found.by_folder.map(({ key, photos, faces: there }) => [key ? <a href={address(faces, { folder: key })}>{key}</a> : said.noFolder, count(photos), count(there)])}
        />
      )}
    </section>
  );
}
