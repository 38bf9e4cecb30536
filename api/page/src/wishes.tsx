// What is wished of a new job beside its photos: when, before which others, and how they are looked at.
import type { Schemas } from "./api";
import { words } from "./words";

export interface Wish {
  label?: string;
  priority?: number;
  processing_window?: string;
  deadline?: string;
  options?: Partial<Schemas["JobOptions"]>;
}

/** Of whoever looks; windows are by their clock. */
const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** As the form's fields say; what is left empty is as the server is configured. */
export function wishOf(form: HTMLFormElement): Wish {
  const fields = new FormData(form);
  const said = (name: string): string => String(fields.get(name) ?? "").trim();
  const wish: Wish = {};
  if (said("label")) wish.label = said("label");
  if (said("priority")) wish.priority = Number(said("priority"));
  if (said("opens") && said("closes")) wish.processing_window = `${said("opens")}-${said("closes")} ${said("zone")}`;
  if (said("deadline")) wish.deadline = new Date(said("deadline")).toISOString();
  const options: NonNullable<Wish["options"]> = {};
  if (said("min_confidence")) options.min_confidence = Number(said("min_confidence")) / 100;
  if (said("preview_px")) options.preview_px = Number(said("preview_px"));
  if (fields.has("delete_originals")) options.delete_originals = true;
  if (fields.has("analyse_again")) options.reuse = false;
  if (Object.keys(options).length) wish.options = options;
  return wish;
}

/** The same with an archive, as a form: each option is a field of its own, the archive the last. */
export function formOf({ options, ...wish }: Wish, archive: File): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...wish, ...options })) form.append(name, String(value));
  form.append("archive", archive);
  return form;
}

export function Label({ label }: { label: string }) {
  return (
    <div>
      <label for="label">{words.fresh.label}</label>
      <input id="label" name="label" type="text" dir="auto" maxLength={200} defaultValue={label} key={label} />
    </div>
  );
}

/** Half a window is none: where one end is said, the other has to be. */
function needBoth({ currentTarget: place }: Event & { currentTarget: HTMLElement }): void {
  const ends = [...place.querySelectorAll("input")];
  const isSaid = ends.some(({ value }) => value !== "");
  for (const end of ends) end.required = isSaid;
}

/** A window as the service has it, `22:00-06:00 Europe/Berlin`; a deadline as the field has it. */
export function When({ window, deadline = "", priority = 0 }: { window?: string | null | undefined; deadline?: string; priority?: number }) {
  const said = words.fresh;
  const [clock, place] = (window ?? "").split(" ");
  const [opens, closes] = (clock ?? "").split("-");
  return (
    <>
      <fieldset>
        <legend>{said.window}</legend>
        <div class="filter" onInput={needBoth}>
          <div><label for="opens">{said.opens}</label><input id="opens" name="opens" type="time" defaultValue={opens ?? ""} required={Boolean(opens)} /></div>
          <div><label for="closes">{said.closes}</label><input id="closes" name="closes" type="time" defaultValue={closes ?? ""} required={Boolean(closes)} /></div>
        </div>
        <input type="hidden" name="zone" value={place ?? zone()} />
        <p class="soft">{said.windowHint(place ?? zone())}</p>
      </fieldset>
      <div>
        <label for="deadline">{said.deadline}</label>
        <input id="deadline" name="deadline" type="datetime-local" defaultValue={deadline} aria-describedby="deadline-hint" />
        <p id="deadline-hint" class="soft">{said.deadlineHint}</p>
      </div>
      <div>
        <label for="priority">{said.priority}</label>
        <input id="priority" name="priority" type="number" min="-1000" max="1000" step="1" placeholder="0" defaultValue={priority ? String(priority) : ""} aria-describedby="priority-hint" />
        <p id="priority-hint" class="soft">{said.priorityHint}</p>
      </div>
    </>
  );
}

export function Wishes({ label }: { label: string }) {
  const said = words.fresh;
  return (
    <>
      <Label label={label} />
      {/* What is wrong in it is not left unseen. */}
      <details class="more" onInvalidCapture={(event) => void (event.currentTarget.open = true)}>
        <summary>{said.options}</summary>
        <div class="wishes">
          <When />
          <div>
            <label for="min_confidence">{said.minConfidence}</label>
            <input id="min_confidence" name="min_confidence" type="number" min="70" max="100" step="1" placeholder="90" />
          </div>
          <div>
            <label for="preview_px">{said.preview}</label>
            <select id="preview_px" name="preview_px">
              <option value="">{said.usual}</option>
              <option value="320">320</option>
              <option value="960">960</option>
              <option value="1600">1600</option>
            </select>
          </div>
          <label class="tick"><input type="checkbox" name="delete_originals" /> {said.deleteOriginals}</label>
          <label class="tick"><input type="checkbox" name="analyse_again" /> {said.analyseAgain}</label>
        </div>
      </details>
    </>
  );
}
