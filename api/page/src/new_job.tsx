// A new job: files are looked at and hashed here, the service says which it knows, the others are sent.
import { useEffect, useRef, useState } from "preact/hooks";
import { post, type Estimate, type Job } from "./api";
import { chosenOf, filesOf, type Chosen } from "./chosen";
import type { Rights } from "./main";
import type { Left } from "./taken";
import { forget, rememberedJob, type Sending } from "./sending";
import { labelOf } from "./tonight";
import { begin, clear, stop, useUnderWay } from "./under_way";
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

/** Wherever on the page it is let go of; beside the marked place a browser would leave the page for the file. */
function useDrop(drop: (files: DataTransfer) => void): boolean {
  const [over, setOver] = useState(false);
  const take = useRef(drop);
  take.current = drop;
  useEffect(() => {
    const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes("Files") ?? false;
    const dragged = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(event.type === "dragover");
      if (event.type === "drop") take.current(event.dataTransfer!);
    };
    const left = (event: DragEvent): void => void (event.relatedTarget === null && setOver(false));
    for (const kind of ["dragover", "drop"] as const) addEventListener(kind, dragged);
    addEventListener("dragleave", left);
    return () => {
      for (const kind of ["dragover", "drop"] as const) removeEventListener(kind, dragged);
      removeEventListener("dragleave", left);
    };
  }, []);
  return over;
}

/** Of the same files chosen once more, mended meanwhile, a browser says nothing unless it has forgotten them. */
function Chooser({ text, isFolder, choose }: { text: string; isFolder?: boolean; choose: (files: File[]) => void }) {
  const chosen = ({ currentTarget: input }: Event & { currentTarget: HTMLInputElement }): void => {
    const files = [...(input.files ?? [])];
    input.value = "";
    choose(files);
  };
  return <label class="button">{text}<input class="unseen" type="file" multiple {...(isFolder && { webkitdirectory: true })} onChange={chosen} /></label>;
}

const saidOf = (wrong: unknown): string => words.somethingWrong(wrong instanceof Error ? wrong.message : String(wrong));

/** What is chosen: what of it is sent, and what is not. */
function Chose({ chosen, window }: { chosen: Chosen; window: string | undefined }) {
  const said = words.fresh;
  const { archive, photos, bytes, unread, left, empty } = chosen;
  return (
    <>
      <p role="status">{archive ? said.archive(archive.name, size(bytes), chosen.count === undefined ? "" : words.photos(chosen.count, count(chosen.count))) : photos.length ? said.chosen(photos.length, count(photos.length), size(bytes)) : said.nothing}</p>
      {chosen.isWhole && <p>{chosen.count === undefined ? said.wholeUnseen : said.whole}</p>}
      <Ready photos={chosen.count ?? 0} window={window} />
      {unread.length > 0 && <div><p>{said.unread(unread.length)}</p><Names names={unread} /></div>}
      {Object.entries(left).map(([why, n]) => <p key={why}>{said.left[why as Left](n)}</p>)}
      {empty.length > 0 && <div><p>{said.empty(empty.length)}</p><Names names={empty} /></div>}
    </>
  );
}

export function NewJob({ rights }: { rights: Rights }) {
  const [open, setOpen] = useState<Job>();
  const [chosen, setChosen] = useState<Chosen>();
  const [looking, setLooking] = useState(false);
  const [wrong, setWrong] = useState("");
  const [window, setWindow] = useState<string>();
  const { now, ended } = useUnderWay();
  const form = useRef<HTMLFormElement>(null);
  const choice = useRef(0);
  const said = words.fresh;
  useEffect(() => void (document.title = `${said.title} · Nightshift`), []);
  useEffect(() => void (now || rememberedJob().then(setOpen)), [now === undefined]);
  useEffect(() => {
    if (!ended || !("job" in ended) || ended.refused.length) return;
    clear();
    location.hash = `#/jobs/${ended.job.id}`;
  }, [ended]);

  const choose = async (reading: Promise<File[]> | File[]): Promise<void> => {
    const own = (choice.current += 1);
    const isLast = (): boolean => own === choice.current;
    clear();
    setWrong("");
    setLooking(true);
    try {
      const found = await chosenOf(await reading);
      if (!isLast()) return;
      setChosen(found);
      setWrong(found.twice ? said.twice(found.twice) : "");
    } catch {
      if (isLast()) setWrong(said.unreadable);
    }
    if (isLast()) setLooking(false);
  };
  const over = useDrop((files) => void (rights.steers && !now && choose(filesOf(files))));

  if (!rights.steers) return <p>{said.readOnly}</p>;

  const send = (): void => void (chosen && form.current && begin(chosen, wishOf(form.current), open));
  const refused = ended && "job" in ended ? ended : undefined;
  const { archive, isWhole = false, photos = [] } = chosen ?? {};
  return (
    <>
      <h1>{said.title}</h1>
      {open && !now && (
        <div class="why">
          <p>{said.resume(isolated(labelOf(open)))}</p>
          <button type="button" class="quiet" onClick={() => (forget(open.id), setOpen(undefined))}>{said.another}</button>
        </div>
      )}
      {!now && (
        <div class={`card drop ${over ? "over" : ""}`}>
          <p>{said.drop}</p>
          <div class="buttons">
            <Chooser text={said.files} choose={(files) => void choose(files)} />
            <Chooser text={said.folder} isFolder choose={(files) => void choose(files)} />
          </div>
        </div>
      )}
      <p role="status">{looking ? said.looking : ""}</p>
      {/* It stays, unseen, while it is sent: what is refused is mended, not written anew. */}
      {chosen && (
        <form class="card" hidden={now !== undefined || looking} ref={form} aria-label={said.title} onInput={(event) => setWindow(wishOf(event.currentTarget).processing_window)} onSubmit={(event) => (event.preventDefault(), send())}>
          <Chose chosen={chosen} window={window} />
          {open && isWhole && <p class="why">{said.archiveAlone}</p>}
          {(!open || isWhole) && <Wishes label={chosen.label} />}
          <div class="buttons">
            <button type="submit" class="main" disabled={!(photos.length || (archive && isWhole)) || chosen.twice !== undefined}>{said.send}</button>
          </div>
        </form>
      )}
      {now && (
        <section class="card" aria-label={said.title}>
          <Progress now={now} />
          <div class="buttons"><button type="button" onClick={stop}>{said.stop}</button></div>
        </section>
      )}
      {refused && refused.refused.length > 0 && (
        <div role="alert" class="card">
          <p class="bad">{said.refused(refused.refused.length)}</p>
          <Names names={refused.refused} />
          <p><a href={`#/jobs/${refused.job.id}`}><bdi>{labelOf(refused.job)}</bdi></a></p>
        </div>
      )}
      <p role="alert" class="bad">{wrong || (ended && "wrong" in ended ? saidOf(ended.wrong) : "")}</p>
    </>
  );
}
