// What of a job may be changed while it waits or goes on: its name, when, before which others; and a pause with an end.
import { ask, post, type Job, type Schemas } from "./api";
import { Label, When, wishOf } from "./wishes";
import { words } from "./words";

/** A moment as `<input type="datetime-local">` has it: by the clock of whoever looks, to the minute. */
export function localMinute(moment: string | null | undefined): string {
  if (!moment) return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Only what the form says otherwise than the job: what others changed meanwhile stays. */
function changeOf(form: HTMLFormElement, job: Job): Partial<Schemas["JobChange"]> {
  const wish = wishOf(form);
  const change: Partial<Schemas["JobChange"]> = {};
  const window = (job.processing_window ?? "").split(" ")[0];
  if ((wish.label ?? "") !== (job.label ?? "")) change.label = wish.label ?? null;
  if ((wish.priority ?? 0) !== job.priority) change.priority = wish.priority ?? 0;
  if ((wish.processing_window ?? "").split(" ")[0] !== window) change.processing_window = wish.processing_window ?? null;
  if (localMinute(wish.deadline) !== localMinute(job.deadline)) change.deadline = wish.deadline ?? null;
  return change;
}

/** `act` does it, and says what went wrong; `put` takes the job as it is then. */
export function Change({ job, busy, act, put }: { job: Job; busy: boolean; act: (doIt: () => Promise<void>) => void; put: (job: Job) => void }) {
  const said = words.job.change;
  // Looked up at once: where the change is heard of before its answer, the form has been made anew by then.
  const change = (form: HTMLFormElement): void => {
    const around = form.closest("details")!;
    act(async () => {
      const json = changeOf(form, job);
      if (Object.keys(json).length) put((await (await ask("PATCH", `/v1/jobs/${job.id}`, { json })).json()) as Job);
      around.open = false;
    });
  };
  const pause = (form: HTMLFormElement): void => {
    const around = form.closest("details")!;
    act(async () => {
      const until = new Date(String(new FormData(form).get("until"))).toISOString();
      put(await post<Job>(`/v1/jobs/${job.id}/pause`, { query: { until } }));
      around.open = false;
    });
  };
  const pauses = job.state === "queued" || job.state === "running";
  return (
    <details class="more change">
      <summary>{said.title}</summary>
      {/* Its fields are made anew when the job is another than it was. */}
      <form class="form" key={[job.label, job.priority, job.processing_window, job.deadline].join("\n")} onSubmit={(event) => (event.preventDefault(), change(event.currentTarget))}>
        <Label label={job.label ?? ""} />
        {job.state !== "ended" && <When window={job.processing_window} deadline={localMinute(job.deadline)} priority={job.priority} />}
        <p><button type="submit" class="main" disabled={busy}>{said.save}</button></p>
      </form>
      {pauses && (
        <form class="form" onSubmit={(event) => (event.preventDefault(), pause(event.currentTarget))}>
          <label for="until">{said.until}</label>
          <input id="until" name="until" type="datetime-local" required />
          <p><button type="submit" disabled={busy}>{words.job.pause}</button></p>
        </form>
      )}
    </details>
  );
}
