// What failed, by code: what it means, what to do, which photos, again.
import { useState } from "preact/hooks";
import { allPhotos, Away, get, Problem, type Job, type Photo, type PhotoPage, type Summary } from "./api";
import { useAsked } from "./asking";
import { lasting } from "./made/codes";
import { save } from "./saving";
import { count, toldOf, words } from "./words";

const PAGE = 50;

/** A sentence with `code` in it. */
function Said({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}

async function saveList(job: Job): Promise<void> {
  const rows = [["custom_id", "photo_id", "code", "stage", "message", "attempts"]];
  for await (const photo of allPhotos(job.id, { status: "failed" }))
    rows.push([photo.custom_id, photo.photo_id, photo.error?.code ?? "", photo.error?.stage ?? "", photo.error?.message ?? "", String(photo.attempts)]);
  save(`${job.id}-failures.csv`, rows);
}

/** As many as one request may name. */
const AT_ONCE = 100;

function Photos({ jobId, code, retry }: { jobId: string; code: string; retry: ((photos: string[]) => void) | undefined }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const choose = (id: string): void => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const [photos, setPhotos] = useState<Photo[]>([]);
  const [cursor, setCursor] = useState<string | null>();
  const [wrong, setWrong] = useState("");
  const path = `/v1/jobs/${jobId}/photos`;
  const query = { code, limit: PAGE };
  const first = useAsked<PhotoPage>(`${path}?${new URLSearchParams({ code, limit: String(PAGE) })}`, 0).answer;
  const shown = [...(first?.photos ?? []), ...photos];
  const next = cursor === undefined ? first?.next : cursor;
  const more = async (): Promise<void> => {
    try {
      const page = await get<PhotoPage>(path, { query: { ...query, cursor: next ?? undefined } });
      setPhotos([...photos, ...page.photos]);
      setCursor(page.next);
    } catch (error) {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (!(error instanceof Away)) throw error;
    }
  };
  const said = words.failures;
  return (
    <>
      <div class="wide">
        <table>
          <thead><tr>{retry && <th scope="col">{said.choose}</th>}<th scope="col">{said.photo}</th><th scope="col">{said.reason}</th><th scope="col">{said.attempts}</th></tr></thead>
          <tbody>
            {shown.map((photo) => (
              <tr key={photo.photo_id}>
                {retry && <td><input type="checkbox" aria-label={`${said.choose}: ${photo.custom_id}`} checked={chosen.includes(photo.photo_id)} disabled={chosen.length >= AT_ONCE && !chosen.includes(photo.photo_id)} onChange={() => choose(photo.photo_id)} /></td>}
                <th scope="row"><bdi>{photo.custom_id}</bdi></th>
                <td><bdi>{photo.error?.message}</bdi></td>
                <td>
                  {count(photo.attempts)}
                  {photo.history.length > 0 && <span class="soft"> ({photo.history.map((one) => said.history[one.ending] ?? one.ending).join(", ")})</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="buttons">
        {next && <button type="button" onClick={() => void more()}>{said.more}</button>}
        {retry && chosen.length > 0 && <button type="button" onClick={() => retry(chosen)}>{said.retryChosen(chosen.length)}</button>}
      </div>
      <p role="alert" class="bad">{wrong}</p>
    </>
  );
}

export function Failures({ job, retry }: { job: Job; retry: ((which: { code?: string[]; photo?: string[] }) => void) | undefined }) {
  const { failed } = job.counts;
  const [open, setOpen] = useState<string>();
  const [wrong, setWrong] = useState("");
  const summary = useAsked<Summary>(failed ? `/v1/jobs/${job.id}/summary` : undefined, 0, failed).answer;
  const said = words.failures;
  const byCode = Object.entries(summary?.failures ?? {}).sort(([, a], [, b]) => b - a);
  const saveAll = (): void =>
    void saveList(job).catch((error: unknown) => {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (error instanceof Away) setWrong(words.away);
      else throw error;
    });
  return (
    <section class="card" aria-labelledby="failures">
      <div class="section-head">
        <h2 id="failures">{said.title}</h2>
        {failed > 0 && <button type="button" onClick={saveAll}>{said.list}</button>}
      </div>
      <p role="alert" class="bad">{wrong}</p>
      {failed === 0 && <p class="soft">{said.none}</p>}
      {failed > 0 && retry && job.state !== "ended" && <p class="soft">{said.later}</p>}
      <ul class="codes">
        {failed > 0 && byCode.map(([code, number]) => {
          const [meaning, todo] = toldOf(code) ?? [code, ""];
          const isKept = Boolean(summary?.failures_kept?.[code]);
          const again = isKept && job.state === "ended" ? retry : undefined;
          return (
            <li key={code}>
              <h3><Said text={meaning} /> <span class="soft">{words.photos(number, count(number))} · <code>{code}</code></span></h3>
              <p><Said text={todo} /> {(!isKept || lasting.has(code)) && <span class="soft">{isKept ? said.hopeless : said.gone}</span>}</p>
              <div class="buttons">
                {again && <button type="button" onClick={() => again({ code: [code] })}>{said.retryCode}</button>}
                <button type="button" aria-expanded={open === code} onClick={() => setOpen(open === code ? undefined : code)}>{said.show}</button>
              </div>
              {open === code && <Photos jobId={job.id} code={code} key={`${code} ${number}`} retry={again && ((photo) => again({ photo }))} />}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
