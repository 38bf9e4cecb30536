// Who is told of jobs that name nobody: add one, change where or of what one is told, tell one no more.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Away, post, Problem, type Receiver, type Schemas } from "./api";
import { Sure } from "./sure";
import { Lines } from "./table";
import { day, words } from "./words";

const EVENTS = ["job.ended", "job.failed_early", "job.progress", "job.expiring"] as const;
const said = words.service.webhooks;

/** Of a message's URL, which is all secrets, the kind alone is shown. */
const isHidden = (url: string): boolean => url.endsWith("://***");

function wishOf(form: HTMLFormElement): Required<Schemas["Notify"]> {
  const fields = new FormData(form);
  return {
    url: String(fields.get("url")).trim(),
    events: fields.getAll("event") as Required<Schemas["Notify"]>["events"],
    progress_percent: Number(fields.get("percent")),
  };
}

/** Only what the form says otherwise: what others changed meanwhile stays. */
function changeOf(form: HTMLFormElement, receiver: Receiver): Partial<Schemas["Notify"]> {
  const wish = wishOf(form);
  const change: Partial<Schemas["Notify"]> = {};
  if (wish.url && wish.url !== receiver.url) change.url = wish.url;
  if ([...wish.events].sort().join() !== [...(receiver.notify?.events ?? [])].sort().join()) change.events = wish.events;
  if (wish.progress_percent !== (receiver.notify?.progress_percent ?? 10)) change.progress_percent = wish.progress_percent;
  return change;
}

function Fields({ of, id }: { of?: Receiver; id: string }) {
  const hidden = of !== undefined && isHidden(of.url);
  const events: readonly string[] = of?.notify?.events ?? ["job.ended"];
  const [percent, setPercent] = useState(events.includes("job.progress"));
  return (
    <>
      <p>
        <label for={`${id}-url`}>{said.url}</label>
        <input id={`${id}-url`} name="url" type="text" required={!hidden} defaultValue={hidden ? "" : of?.url} placeholder={hidden ? of.url : "https://"} aria-describedby={`${id}-hint`} />
        <span id={`${id}-hint`} class="soft">{hidden ? said.hiddenHint : said.urlHint}</span>
      </p>
      <fieldset>
        <legend>{said.events}</legend>
        {EVENTS.map((event) => (
          <label key={event} class="check">
            <input type="checkbox" name="event" value={event} defaultChecked={events.includes(event)} onChange={(changed) => event === "job.progress" && setPercent(changed.currentTarget.checked)} />
            <span><code>{event}</code> {said.eventIs[event]}</span>
          </label>
        ))}
      </fieldset>
      <p hidden={!percent}>
        <label for={`${id}-percent`}>{said.percent}</label>
        <input id={`${id}-percent`} name="percent" type="number" min={1} max={100} required defaultValue={String(of?.notify?.progress_percent ?? 10)} />
      </p>
    </>
  );
}

/** What went wrong with what `doIt` does, if it did. */
async function trouble(doIt: () => Promise<unknown>): Promise<string> {
  try {
    await doIt();
    return "";
  } catch (error) {
    if (error instanceof Problem) return error.code === "precondition_failed" ? said.changedMeanwhile : words.somethingWrong(error.message);
    if (error instanceof Away) return words.away;
    throw error;
  }
}

function Change({ of, done, close }: { of: Receiver; done: () => void; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [known, setKnown] = useState<{ receiver: Receiver; etag: string }>();
  const [wrong, setWrong] = useState("");
  const path = `/v1/webhooks/receivers/${of.id}`;
  const look = (): Promise<string> =>
    trouble(async () => {
      const found = await ask("GET", path);
      setKnown({ receiver: (await found.json()) as Receiver, etag: found.headers.get("ETag") ?? "" });
    });
  useEffect(() => {
    dialog.current?.showModal();
    void look().then(setWrong);
  }, []);
  const save = async (form: HTMLFormElement): Promise<void> => {
    const json = changeOf(form, known!.receiver);
    if (Object.keys(json).length) {
      const problem = await trouble(() => ask("PATCH", path, { json, headers: { "If-Match": known!.etag } }));
      setWrong(problem);
      // What somebody else has made of it is shown, and decided anew.
      if (problem === said.changedMeanwhile) await look();
      if (problem) return;
      done();
    }
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="card" aria-labelledby="change-receiver" onClose={close}>
      <h2 id="change-receiver">{said.changeTitle}</h2>
      <p role="alert" class="bad">{wrong}</p>
      {known && (
        <form key={known.etag} class="form" onSubmit={(event) => (event.preventDefault(), void save(event.currentTarget))}>
          <Fields of={known.receiver} id="changed" />
          <div class="buttons">
            <button type="button" onClick={() => dialog.current?.close()}>{words.job.no}</button>
            <button class="main">{words.job.change.save}</button>
          </div>
        </form>
      )}
    </dialog>
  );
}

export function Receivers({ receivers, test, done }: { receivers: Receiver[]; test: (receiver: Receiver) => void; done: () => void }) {
  const [changed, setChanged] = useState<Receiver>();
  const [removed, setRemoved] = useState<Receiver>();
  const [wrong, setWrong] = useState("");
  const [opened, setOpened] = useState(0);
  const act = async (doIt: () => Promise<unknown>): Promise<boolean> => {
    const problem = await trouble(doIt);
    setWrong(problem);
    if (!problem) done();
    return !problem;
  };
  const add = async (form: HTMLFormElement): Promise<void> => {
    if (await act(() => post("/v1/webhooks/receivers", { json: wishOf(form) }))) setOpened((times) => times + 1);
  };
  return (
    <>
      {receivers.length ? (
        <Lines
          heads={[said.url, said.events, said.standing, words.service.act]}
          lines={receivers.map((receiver) => ({
            key: receiver.id,
            cells: [
              <bdi>{receiver.url}</bdi>,
              receiver.notify ? receiver.notify.events.map((event) => (event === "job.progress" ? said.everyPercent(event, receiver.notify!.progress_percent) : event)).join(", ") : said.byJobs,
              receiver.disabled_at ? said.disabled(day(receiver.disabled_at)) : said.good,
              <span class="buttons">
                <button type="button" aria-label={`${said.test}: ${receiver.url}`} onClick={() => test(receiver)}>{said.test}</button>
                <button type="button" aria-label={`${said.change}: ${receiver.url}`} onClick={() => setChanged(receiver)}>{said.change}</button>
                <button type="button" class="danger" aria-label={`${said.remove}: ${receiver.url}`} onClick={() => setRemoved(receiver)}>{said.remove}</button>
              </span>,
            ],
          }))}
        />
      ) : <p class="soft">{said.none}</p>}
      {/* Closed, and empty, once one was added. */}
      <details key={opened}>
        <summary>{said.add}</summary>
        <form class="form" onSubmit={(event) => (event.preventDefault(), void add(event.currentTarget))}>
          <Fields id="added" />
          <p><button class="main">{said.add}</button></p>
        </form>
      </details>
      <p role="alert" class="bad">{wrong}</p>
      {changed && <Change of={changed} done={done} close={() => setChanged(undefined)} />}
      {removed && (
        <Sure
          question={{ text: said.removeSure(removed.url), yes: said.remove, act: () => void act(() => ask("DELETE", `/v1/webhooks/receivers/${removed.id}`)) }}
          close={() => setRemoved(undefined)}
        />
      )}
    </>
  );
}
