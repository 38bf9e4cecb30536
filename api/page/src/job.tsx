// One job: how it gets on, what may be done with it, what failed, what to take away.
import { useEffect, useState } from "preact/hooks";
import { ask, Away, post, Problem, type Erasure, type Job, type Overview } from "./api";
import { useAsked, useJob } from "./asking";
import { BreakdownView } from "./breakdown";
import { Change } from "./change";
import { Failures } from "./failures";
import { Gone } from "./gone";
import type { Rights } from "./main";
import { Numbers } from "./numbers";
import { RateLine } from "./rate_line";
import { Receipt } from "./receipt";
import { Sure, type Question } from "./sure";
import { labelOf, saidOf, standing } from "./tonight";
import { count, day, rate, time, toldOf, words } from "./words";

type Move = "submit" | "pause" | "resume" | "cancel" | "retry";

/** What the state of a job allows; as docs/architecture.md's table of moves. */
function movesOf(job: Job): Move[] {
  switch (job.state) {
    case "open":
      return job.counts.total ? ["submit", "cancel"] : ["cancel"];
    case "unpacking":
      return ["cancel"];
    case "queued":
    case "running":
      return ["pause", "cancel"];
    case "paused":
      return ["resume", "cancel"];
    case "ended":
      return job.counts.failed + job.counts.cancelled ? ["retry"] : [];
    default:
      return [];
  }
}

function TakeAway({ job }: { job: Job }) {
  const base = `/v1/jobs/${job.id}`;
  const { take } = words;
  const links: [string, string][] = [
    [take.report, `${base}/report`],
    [take.photos, `${base}/photos.csv`],
    [take.faces, `${base}/faces.csv`],
    [take.low, `${base}/low-confidence-faces.csv`],
    [take.jsonl, `${base}/results?format=jsonl`],
    [take.thumbnails, `${base}/thumbnails`],
  ];
  return (
    <section class="card" aria-labelledby="take">
      <h2 id="take">{take.title}</h2>
      {job.state !== "ended" && <p class="soft">{take.soFar}</p>}
      <ul class="links">
        {links.map(([name, href]) => <li key={href}><a href={href} download="">{name}</a></li>)}
      </ul>
    </section>
  );
}

export function JobView({ jobId, rights }: { jobId: string; rights: Rights }) {
  const { answer: job, problem, put, again } = useJob(jobId);
  const glance = useAsked<Overview>(job && job.state !== "ended" ? `/v1/overview?job=${jobId}` : undefined, 5000, job?.state).answer;
  const [receipt, setReceipt] = useState<Erasure>();
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const [question, setQuestion] = useState<Question>();
  useEffect(() => void (document.title = `${job ? labelOf(job) : jobId} · Nightshift`), [job?.label]);

  if (receipt) return <Receipt receipt={receipt} label={job ? labelOf(job) : jobId} />;
  if (problem?.status === 404) return <Gone />;
  if (!job) return problem ? <p role="alert" class="bad">{words.somethingWrong(problem.message)}</p> : <p class="soft">{words.loading}</p>;

  const act = async (doIt: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setWrong("");
    try {
      await doIt();
    } catch (error) {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (!(error instanceof Away)) throw error;
    } finally {
      setBusy(false);
    }
  };
  const move = (what: Move, which: { code?: string[]; photo?: string[] } = {}): void =>
    void act(async () => {
      put(await post<Job>(`/v1/jobs/${jobId}/${what}`, { query: which }));
      again();
    });
  const erase = (): void =>
    void act(async () => setReceipt(await (await ask("DELETE", `/v1/jobs/${jobId}`)).json()));

  const names: Record<Move, string> = { submit: words.job.submit, pause: words.job.pause, resume: words.job.resume, cancel: words.job.cancel, retry: words.job.retry };
  const label = labelOf(job);
  // An operator sees others' jobs from outside: no photos, and nothing to steer.
  const isOutside = job.owner !== rights.owner;
  const looks = rights.looks && !isOutside;
  const { counts } = job;
  const { kind, said } = standing(job);
  const [seen] = glance?.jobs ?? [];
  const why = seen?.job.state === job.state ? saidOf(seen.wait) : undefined;
  const { number, details } = words.job;
  const numbers: [string, number][] = [
    [number.total, counts.total], [number.succeeded, counts.succeeded], [number.failed, counts.failed],
    ...(counts.cancelled ? [[number.cancelled, counts.cancelled] as [string, number]] : []),
    ...(job.state === "ended" ? [] : [[number.queued, counts.queued], [number.running, counts.running]] as [string, number][]),
    [number.faces, job.faces],
  ];
  const told: [string, string | null | undefined][] = [
    [details.owner, job.owner], [details.created, day(job.created_at)], [details.started, job.started_at && day(job.started_at)],
    [details.ended, job.ended_at && day(job.ended_at)], [details.expire, job.results_expire_at && day(job.results_expire_at)],
    [details.bundle, job.bundle.name], [details.window, job.processing_window], [details.deadline, job.deadline && day(job.deadline)],
    [details.priority, job.priority ? String(job.priority) : null],
  ];
  return (
    <>
      <div class="title">
        <h1><bdi>{label}</bdi></h1>
        <span class={`badge ${kind}`} role="status">{said}</span>
      </div>
      {job.error && <p class="bad">{toldOf(job.error.code)?.[0] ?? job.error.message}</p>}
      {why && <p class="why">{why}</p>}
      <section class="card" aria-labelledby="numbers">
        <h2 id="numbers" class="unseen">{words.job.numbers}</h2>
        {job.state !== "ended" && <progress max={1} value={job.progress} aria-label={words.job.progress(label)} />}
        <dl class="numbers">
          {numbers.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{count(value)}</dd></div>)}
        </dl>
        {job.state !== "ended" && job.photos_per_second != null && (
          <p class="facts">
            <span>{words.job.rateNow(rate(job.photos_per_second))}</span>
            {job.eta && <strong>{words.job.ready(time(job.eta))}</strong>}
          </p>
        )}
        <RateLine job={job} />
        {looks && <p><a href={`#/jobs/${jobId}/faces`}>{words.faces.all}</a></p>}
      </section>
      {rights.steers && !isOutside ? (
        <div class="buttons" role="group" aria-label={words.job.steer}>
          {movesOf(job).map((what) => (
            <button
              key={what}
              type="button"
              disabled={busy}
              onClick={() => (what === "cancel" ? setQuestion({ text: words.job.cancelSure, yes: words.job.yesCancel, act: () => move(what) }) : move(what))}
            >
              {names[what]}
            </button>
          ))}
          {(job.state === "ended" || job.state === "open") && (
            <button type="button" class="danger" disabled={busy} onClick={() => setQuestion({ text: words.job.eraseSure, yes: words.job.yesErase, act: erase })}>
              {words.job.erase}
            </button>
          )}
        </div>
      ) : (
        <p class="soft">{isOutside ? words.job.outside : words.job.readOnly}</p>
      )}
      {rights.steers && !isOutside && <Change job={job} busy={busy} act={(doIt) => void act(doIt)} put={put} />}
      <p role="alert" class="bad">{wrong}</p>
      {question && <Sure question={question} close={() => setQuestion(undefined)} />}
      {looks && <Failures job={job} retry={rights.steers && !busy ? (which) => move("retry", which) : undefined} />}
      {looks && <Numbers job={job} />}
      {looks && job.counts.succeeded > 0 && <BreakdownView job={job} />}
      {looks && <TakeAway job={job} />}
      <dl class="details soft">
        {told.map(([name, value]) => value && <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </>
  );
}
