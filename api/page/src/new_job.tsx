// A new job: files are looked at and hashed here, the service says which it knows, the others are sent.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, type Estimate, type Job } from "./api";
import { chosenOf, filesOf, type Chosen } from "./chosen";
import type { Rights } from "./main";
import type { Left } from "./taken";
import { forget, rememberedJob, sendArchive, sendJob, type Sending } from "./sending";
import { labelOf } from "./tonight";
import { wishOf, Wishes } from "./wishes";
import { count, isolated, rate, size, time, words } from "./words";

const MOST_NAMES = 20;

function Names({ names }: { names: readonly string[] }) {
  return (
    <ul class="soft names">
      {names.slice(0, MOST_NAMES).map((name, index) => <li key={index}><bdi>{name}</bdi></li>)}
      {names.length > MOST_NAMES && <li>…</li>}
    </ul>
  );
}

/** How far it is. */
function Progress({ now }: { now: Sending }) {
  const said = words.fresh;
  const part = now.step === "hashing" ? now.hashed : now.sent;
  const of = now.step === "hashing" ? now.total : now.toSend;
  const inWords = now.step === "archive" ? size : count;
  const text = now.step === "hashing" ? said.hashing(count(part), count(of)) : said.sending(inWords(part), inWords(of));
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

/** When so many photos would be ready, in the window that is wished; nothing where the service cannot tell. */
function Ready({ photos, window }: { photos: number; window: string | undefined }) {
  const [told, setTold] = useState<Estimate>();
  useEffect(() => {
    let over = false;
    setTold(undefined);
    const asked = photos ? post<Estimate>("/v1/jobs/estimate", { json: { photos, ...(window ? { processing_window: window } : {}) } }) : undefined;
    // It is only said where it can be.
    asked?.then((found) => void (over || setTold(found)), () => undefined);
    return () => void (over = true);
  }, [photos, window]);
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
  const [window, setWindow] = useState<string>();
  const form = useRef<HTMLFormElement>(null);
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

  const choose = async (files: Iterable<File>): Promise<void> => {
    const found = await chosenOf(files);
    setChosen(found);
    setWrong(found.twice ? said.twice(found.twice) : "");
  };
  const send = async (): Promise<void> => {
    if (!chosen || !form.current) return;
    const { signal } = (stop.current = new AbortController());
    const wish = wishOf(form.current);
    setWrong("");
    try {
      if (chosen.archive) {
        const job = await sendArchive(chosen.archive, wish, setNow, signal);
        location.hash = `#/jobs/${job.id}`;
      } else {
        const { job, refused } = await sendJob(chosen.photos, wish, open, setNow, signal);
        if (refused.length) setRefused({ job, names: refused });
        else location.hash = `#/jobs/${job.id}`;
      }
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
            if (event.dataTransfer) void filesOf(event.dataTransfer).then(choose, () => setWrong(said.unreadable));
          }}
        >
          <p>{said.drop}</p>
          <div class="buttons">
            <label class="button">{said.files}<input class="unseen" type="file" multiple onChange={(event) => void choose(event.currentTarget.files ?? [])} /></label>
            <label class="button">{said.folder}<input class="unseen" type="file" {...{ webkitdirectory: true }} onChange={(event) => void choose(event.currentTarget.files ?? [])} /></label>
          </div>
        </div>
      )}
      {/* It stays, unseen, while it is sent: what is refused is mended, not written anew. */}
      {chosen && (
        <form class="card" hidden={now !== undefined} ref={form} aria-label={said.title} onInput={(event) => setWindow(wishOf(event.currentTarget).processing_window)} onSubmit={(event) => (event.preventDefault(), void send())}>
          <p role="status">{chosen.archive ? said.archive(chosen.archive.name, size(chosen.bytes), chosen.count === undefined ? "" : words.photos(chosen.count, count(chosen.count))) : said.chosen(chosen.photos.length, count(chosen.photos.length), size(chosen.bytes))}</p>
          <Ready photos={chosen.count ?? 0} window={window} />
          {chosen.unread.length > 0 && <div><p>{said.unread(chosen.unread.length)}</p><Names names={chosen.unread} /></div>}
          {Object.entries(chosen.left).map(([why, n]) => <p key={why}>{said.left[why as Left](n)}</p>)}
          {chosen.empty.length > 0 && <div><p>{said.empty(chosen.empty.length)}</p><Names names={chosen.empty} /></div>}
          {open && chosen.archive && <p class="why">{said.archiveAlone}</p>}
          {(!open || chosen.archive) && <Wishes label={chosen.label} />}
          <div class="buttons">
            <button type="submit" class="main" disabled={!(chosen.archive || chosen.photos.length) || chosen.twice !== undefined}>{said.send}</button>
          </div>
        </form>
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
