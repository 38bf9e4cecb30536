// A new job: files are looked at and hashed here, the service says which it knows, the others are sent.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, type Estimate, type Job } from "./api";
import { chosenOf, filesOf, type Chosen } from "./chosen";
import type { Rights } from "./main";
import { forget, rememberedJob, sendJob, type Sending } from "./sending";
import { labelOf } from "./tonight";
import { count, isolated, rate, size, time, words } from "./words";

const MOST_NAMES = 20;

function Names({ names }: { names: readonly string[] }) {
  return (
    <ul class="soft names">
      {names.slice(0, MOST_NAMES).map((name) => <li key={name}><bdi>{name}</bdi></li>)}
      {names.length > MOST_NAMES && <li>…</li>}
    </ul>
  );
}

/** How far it is. */
function Progress({ now }: { now: Sending }) {
  const said = words.fresh;
  const part = now.step === "hashing" ? now.hashed : now.sent;
  const of = now.step === "hashing" ? now.total : now.toSend;
  const text = now.step === "hashing" ? said.hashing(count(part), count(of)) : said.sending(count(part), count(of));
  return (
    <>
      <progress max={of || 1} value={part} aria-label={said.title} />
      <p role="status" class="facts">
        <span>{text}</span>
        {now.known > 0 && <span>{said.known(count(now.known), count(now.total))}</span>}
      </p>
    </>
  );
}

/** When so many photos would be ready; nothing where the service cannot tell. */
function Ready({ photos }: { photos: number }) {
  const [told, setTold] = useState<Estimate>();
  useEffect(() => {
    let over = false;
    setTold(undefined);
    const asked = photos ? post<Estimate>("/v1/jobs/estimate", { json: { photos } }) : undefined;
    // It is only said where it can be.
    asked?.then((found) => void (over || setTold(found)), () => undefined);
    return () => void (over = true);
  }, [photos]);
  if (!told?.ready_at || told.photos_per_second == null) return null;
  return <p class="soft">{words.fresh.ready(time(told.ready_at), rate(told.photos_per_second))}</p>;
}

export function NewJob({ rights }: { rights: Rights }) {
  const [open, setOpen] = useState<Job>();
  const [chosen, setChosen] = useState<Chosen>();
  const [now, setNow] = useState<Sending>();
  const [wrong, setWrong] = useState("");
  const [refused, setRefused] = useState<{ job: Job; names: string[] }>();
  const [over, setOver] = useState(false);
  const label = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | undefined>(undefined);
  const said = words.fresh;
  useEffect(() => {
    document.title = `${said.title} · Nightshift`;
    void rememberedJob().then(setOpen);
    return () => stop.current?.abort();
  }, []);
  // Closing the tab breaks the sending off: the browser asks first.
  useEffect(() => {
    if (!now) return;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [now !== undefined]);

  if (!rights.steers) return <p>{said.readOnly}</p>;

  const choose = (files: Iterable<File>): void => {
    const found = chosenOf(files);
    setChosen(found);
    setWrong(found.twice ? said.twice(found.twice) : "");
  };
  const send = async (): Promise<void> => {
    if (!chosen) return;
    stop.current = new AbortController();
    setWrong("");
    try {
      const { job, refused } = await sendJob(chosen.photos, label.current?.value.trim() || chosen.label, open, setNow, stop.current.signal);
      if (refused.length) setRefused({ job, names: refused });
      else location.hash = `#/jobs/${job.id}`;
    } catch (error) {
      if (!stop.current.signal.aborted) setWrong(words.somethingWrong(error instanceof Error ? error.message : String(error)));
      void rememberedJob().then(setOpen);
    }
    setNow(undefined);
  };
  return (
    <>
      <h1>{said.title}</h1>
      {open && !now && (
        <div class="why">
          <p>{said.resume(isolated(labelOf(open)))}</p>
          <button type="button" class="quiet" onClick={() => (forget(), setOpen(undefined))}>{said.another}</button>
        </div>
      )}
      {!now && (
        <div
          class={`card drop ${over ? "over" : ""}`}
          onDragOver={(event) => (event.preventDefault(), setOver(true))}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            if (event.dataTransfer) void filesOf(event.dataTransfer).then(choose);
          }}
        >
          <p>{said.drop}</p>
          <div class="buttons">
            <label class="button">{said.files}<input class="unseen" type="file" multiple onChange={(event) => choose(event.currentTarget.files ?? [])} /></label>
            <label class="button">{said.folder}<input class="unseen" type="file" {...{ webkitdirectory: true }} onChange={(event) => choose(event.currentTarget.files ?? [])} /></label>
          </div>
        </div>
      )}
      {chosen && !now && (
        <section class="card" aria-label={said.title}>
          <p role="status">{said.chosen(chosen.photos.length, count(chosen.photos.length), size(chosen.bytes))}</p>
          <Ready photos={chosen.photos.length} />
          {chosen.unread.length > 0 && <div><p>{said.unread(chosen.unread.length)}</p><Names names={chosen.unread} /></div>}
          {!open && (
            <div>
              <label for="label">{said.label}</label>
              <input id="label" type="text" dir="auto" ref={label} maxLength={200} defaultValue={chosen.label} key={chosen.label} />
            </div>
          )}
          <div class="buttons">
            <button type="button" class="main" disabled={!chosen.photos.length || chosen.twice !== undefined} onClick={() => void send()}>{said.send}</button>
          </div>
        </section>
      )}
      {now && (
        <section class="card" aria-label={said.title}>
          <Progress now={now} />
          <div class="buttons"><button type="button" onClick={() => stop.current?.abort()}>{said.stop}</button></div>
        </section>
      )}
      {refused && (
        <div role="alert" class="card">
          <p class="bad">{said.refused(refused.names.length)}</p>
          <Names names={refused.names} />
          <p><a href={`#/jobs/${refused.job.id}`}><bdi>{labelOf(refused.job)}</bdi></a></p>
        </div>
      )}
      <p role="alert" class="bad">{wrong}</p>
    </>
  );
}
