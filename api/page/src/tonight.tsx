// Tonight: a strip a job, newest first, and in one sentence whether the service can work.
import { useEffect, useState } from "preact/hooks";
import type { Job, Overview, Readiness, SeenJob, Wait } from "./api";
import { useAsked, useAway } from "./asking";
import type { Rights } from "./main";
import { Picture } from "./pictures";
import { count, day, isolated, rate, time, toldOf, words } from "./words";

const EVERY_MS = 2000;

export const labelOf = (job: Job): string => job.label || words.job.unnamed;

/** Where it stands, as one word; of one that has ended, how. */
export function standing(job: Job): { kind: string; said: string } {
  const kind = job.outcome ?? job.state;
  return { kind, said: (job.outcome ? words.outcomes[job.outcome] : words.states[job.state]) ?? kind };
}

/** Why a job does not get on, as the service says; undefined for one that does, or has ended. */
export function saidOf(wait: Wait | null | undefined): string | undefined {
  const { waits } = words.job;
  if (!wait) return undefined;
  switch (wait.reason) {
    case "open":
      return wait.until ? waits.openUntil(day(wait.until)) : waits.open;
    case "paused":
      return wait.until ? waits.pausedUntil(time(wait.until)) : waits.paused;
    case "window":
      return waits.window(wait.until ? time(wait.until) : "");
    case "behind_own":
      return waits.behind(isolated(wait.label || words.job.unnamed));
    case "behind_others":
      return waits.behindOthers;
    default:
      return { unpacking: waits.unpacking, cancelling: waits.cancelling, no_worker: waits.noWorker, next: waits.soon }[wait.reason];
  }
}

/** What `doctor` would say first; see nightshift/words/health.py, which has the same in the same order. */
function Bell({ ready }: { ready: Readiness | undefined }) {
  const isAway = useAway();
  // What it said last is not so any more, and the line at the top says that it is away.
  if (!ready || isAway) return null;
  const { checks, status } = ready;
  const states = new Map(Object.entries(checks));
  const wrong = Object.entries(words.tonight.wrong).find(([what]) => {
    const [part = "", state] = what.split(" ");
    return String(states.get(part)) === state;
  });
  const said =
    wrong?.[1] ?? (status === "ready" ? `${words.tonight.well} ${words.tonight.workers(checks.workers)}` : words.tonight.down);
  return <p role="status" class={`bell ${status}`}>{said}</p>;
}

function Strip({ seen }: { seen: SeenJob }) {
  const { job, newest } = seen;
  const { counts } = job;
  const label = labelOf(job);
  const final = counts.succeeded + counts.failed + counts.cancelled;
  const { kind, said } = standing(job);
  const why = saidOf(seen.wait);
  // Its first half: the second speaks of messages, which are on the job's own page.
  const reason = seen.commonest_failure && (toldOf(seen.commonest_failure)?.[0] ?? seen.commonest_failure).split(";")[0]?.replace(/\.$/, "");
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
            {reason && (counts.failed > 1 ? `, ${words.job.mostly(reason)}` : `: ${reason}`)}
          </span>
        )}
      </p>
      {why && <p class="why">{why}</p>}
      {newest.length > 0 && (
        <ul class="newest" aria-label={words.job.newest(label)}>
          {newest.map((photo) => (
            <li key={photo.photo_id}><Picture jobId={job.id} photo={photo} alt={words.faces.open(photo.custom_id, words.job.faces(photo.face_count, count(photo.face_count)))} /></li>
          ))}
        </ul>
      )}
    </li>
  );
}

export function Tonight({ rights }: { rights: Rights }) {
  const [limit, setLimit] = useState(20);
  const { answer, problem } = useAsked<Overview>(`/v1/overview?limit=${limit}`, EVERY_MS);
  // While more of them are asked for, those that were there stay.
  const [kept, setKept] = useState<Overview>();
  useEffect(() => void (answer && setKept(answer)), [answer]);
  useEffect(() => void (document.title = `${words.tonight.title} · Nightshift`), []);
  return (
    <>
      <h1>{words.tonight.title}</h1>
      <Bell ready={kept?.readiness} />
      {problem && <p role="alert" class="bad">{problem.code === "scope_missing" ? words.signIn.metricsOnly : words.somethingWrong(problem.message)}</p>}
      {!kept && !problem && <p class="soft">{words.loading}</p>}
      {kept?.jobs.length === 0 && (
        <div class="card empty">
          <p><strong>{words.tonight.none}</strong></p>
          {rights.steers && <p class="soft">{words.tonight.noneHint}</p>}
        </div>
      )}
      <ul class="strips">
        {kept?.jobs.map((seen) => <Strip key={seen.job.id} seen={seen} />)}
      </ul>
      {kept?.next && limit < 1000 && <button type="button" onClick={() => setLimit(Math.min(1000, limit + 50))}>{words.tonight.more}</button>}
    </>
  );
}
