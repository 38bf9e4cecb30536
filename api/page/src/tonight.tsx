// Tonight: a strip a job, newest first, and in one sentence whether the service can work.
import { useEffect, useState } from "preact/hooks";
import { get, type Job, type JobPage, type Photo, type PhotoPage, type Readiness, type Summary } from "./api";
import { useAsked } from "./asking";
import type { Rights } from "./main";
import { facesOf, Picture } from "./pictures";
import { count, day, isolated, rate, time, toldOf, words } from "./words";

const EVERY_MS = 2500;
const LOOK_ROUND_MS = 10_000;
const STRIP_PHOTOS = 6;

export const labelOf = (job: Job): string => job.label ?? words.job.unnamed;

/** Where it stands, as one word; of one that has ended, how. */
export function standing(job: Job): { kind: string; said: string } {
  const kind = job.outcome ?? job.state;
  return { kind, said: (job.outcome ? words.outcomes[job.outcome] : words.states[job.state]) ?? kind };
}

/** Why a job does not get on; undefined for one that does, or has ended. */
export function whyItWaits(job: Job, workers: number | undefined, running: readonly Job[]): string | undefined {
  const { waits } = words.job;
  switch (job.state) {
    case "open":
      return job.open_until ? waits.openUntil(day(job.open_until)) : waits.open;
    case "unpacking":
      return waits.unpacking;
    case "paused":
      return job.waits_until ? waits.pausedUntil(time(job.waits_until)) : waits.paused;
    case "cancelling":
      return waits.cancelling;
    case "queued":
    case "running": {
      if (job.waits_until) return waits.window(time(job.waits_until));
      if (workers === 0) return waits.noWorker;
      if (job.counts.running > 0 || job.state === "running") return undefined;
      const before = running.find((other) => other.id !== job.id);
      return before ? waits.behind(isolated(labelOf(before))) : waits.soon;
    }
    default:
      return undefined;
  }
}

function Bell({ ready }: { ready: Readiness | undefined }) {
  if (!ready) return null;
  const { checks, status } = ready;
  const said =
    status === "unavailable" ? words.tonight.down
    : checks.workers === 0 ? words.tonight.noWorker
    : checks.folders === "away" ? words.tonight.folders
    : checks.broker === "down" ? words.tonight.broker
    : checks.sweepers === 0 ? words.tonight.noSweeper
    : `${words.tonight.well} ${words.tonight.workers(checks.workers)}`;
  return <p role="status" class={`bell ${status}`}>{said}</p>;
}

/** Documents of a job that are asked for again only when a number of it has changed. */
function useOnChange<Answer>(path: string | undefined): Answer | undefined {
  const [kept, setKept] = useState<Answer>();
  const [address] = path?.split("#") ?? [];
  useEffect(() => {
    if (!address) return;
    let over = false;
    get<Answer>(address).then((found) => over || setKept(found), () => undefined);
    return () => void (over = true);
  }, [path]);
  return path ? kept : undefined;
}

export function commonest(failures: Record<string, number>): string | undefined {
  const [first] = Object.entries(failures).sort(([, a], [, b]) => b - a);
  return first && (toldOf(first[0])?.[0] ?? first[0]);
}

function Strip({ job, why, looks }: { job: Job; why: string | undefined; looks: boolean }) {
  const { counts } = job;
  const label = labelOf(job);
  const final = counts.succeeded + counts.failed + counts.cancelled;
  const { kind, said } = standing(job);
  const summary = useOnChange<Summary>(looks && counts.failed ? `/v1/jobs/${job.id}/summary#${counts.failed}` : undefined);
  const few = Math.min(counts.succeeded, STRIP_PHOTOS);
  const page = useOnChange<PhotoPage>(looks && few ? `/v1/jobs/${job.id}/photos?status=succeeded&limit=${STRIP_PHOTOS}#${few}` : undefined);
  const mostly = summary && commonest(summary.failures);
  return (
    <li class="card strip">
      <div class="strip-head">
        <h2><a href={`#/jobs/${job.id}`}><bdi>{label}</bdi></a></h2>
        <span class={`badge ${kind}`}>{said}</span>
        <span class="soft">{job.owner}</span>
      </div>
      {job.state !== "ended" && <progress max={1} value={job.progress} aria-label={words.job.progress(label)} />}
      <p class="facts">
        <span>{words.job.done(count(final), counts.total, count(counts.total))}</span>
        <span>{words.job.faces(job.faces, count(job.faces))}</span>
        {job.state !== "ended" && job.photos_per_second != null && <span>{words.job.rate(rate(job.photos_per_second))}</span>}
        {job.state !== "ended" && job.eta && <strong>{words.job.ready(time(job.eta))}</strong>}
        {job.ended_at && <span>{words.job.endedAt(day(job.ended_at))}</span>}
        {counts.failed > 0 && (
          <span class="bad">
            {words.job.failed(counts.failed, count(counts.failed))}
            {mostly && `, ${words.job.mostly(mostly)}`}
          </span>
        )}
      </p>
      {why && <p class="why">{why}</p>}
      {page && page.photos.length > 0 && (
        <ul class="newest" aria-label={words.job.newest(label)}>
          {page.photos.map((photo: Photo) => (
            <li key={photo.photo_id}><Picture jobId={job.id} photo={photo} alt={words.faces.open(photo.custom_id, facesOf(photo))} /></li>
          ))}
        </ul>
      )}
    </li>
  );
}

export function Tonight({ rights }: { rights: Rights }) {
  const [limit, setLimit] = useState(20);
  const { answer, problem } = useAsked<JobPage>(`/v1/jobs?limit=${limit}`, EVERY_MS);
  const ready = useAsked<Readiness>("/readyz", LOOK_ROUND_MS).answer;
  const [kept, setKept] = useState<JobPage>();
  useEffect(() => void (answer && setKept(answer)), [answer]);
  useEffect(() => void (document.title = `${words.tonight.title} · Nightshift`), []);
  const running = kept?.jobs.filter((job) => job.state === "running" && !job.waits_until) ?? [];
  return (
    <>
      <h1>{words.tonight.title}</h1>
      <Bell ready={ready} />
      {problem && <p role="alert" class="bad">{problem.code === "scope_missing" ? words.signIn.metricsOnly : words.somethingWrong(problem.message)}</p>}
      {!kept && !problem && <p class="soft">{words.loading}</p>}
      {kept?.jobs.length === 0 && (
        <div class="card empty">
          <p><strong>{words.tonight.none}</strong></p>
          {rights.steers && <p class="soft">{words.tonight.noneHint}</p>}
        </div>
      )}
      <ul class="strips">
        {kept?.jobs.map((job) => (
          <Strip key={job.id} job={job} why={whyItWaits(job, ready?.checks.workers, running)} looks={rights.looks && job.owner === rights.owner} />
        ))}
      </ul>
      {kept?.next && limit < 1000 && <button type="button" onClick={() => setLimit(Math.min(1000, limit + 50))}>{words.tonight.more}</button>}
    </>
  );
}
