// Photos of a job with a box at each face, page by page, and a viewer with what each face was given.
import { useEffect, useRef, useState } from "preact/hooks";
import { Away, get, Problem, type Face, type Photo, type PhotoPage } from "./api";
import { facesOf, Picture } from "./pictures";
import { Filters, queryOf, useSought } from "./sought";
import { count, words } from "./words";

const PAGE = 100;
const percent = (part: number): string => `${Math.round(100 * part)} %`;

function Told({ face }: { face: Face }) {
  const said = words.faces;
  const { gender, age_group: age } = face;
  const unsure = (uncertain: boolean): string => (uncertain ? `, ${said.uncertain}` : "");
  const lines: [string, string][] = [
    [said.gender, `${gender.value === "female" ? said.female : said.male}, ${percent(gender.probability)}${unsure(gender.uncertain)}`],
    [said.age, `${age.label}, ${percent(age.probability)}${unsure(age.uncertain)}`],
    [said.sure, percent(face.confidence)],
  ];
  return (
    <dl class="details">
      {lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

/** One photo; the arrow keys go to its neighbours, Escape closes it. */
function Viewer({ jobId, photo, go, close }: { jobId: string; photo: Photo; go: ((by: number) => void) | undefined; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [marked, setMarked] = useState<number>();
  const said = words.faces;
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => setMarked(undefined), [photo.photo_id]);
  return (
    <dialog
      ref={dialog}
      class="card viewer"
      aria-labelledby="viewed"
      onClose={close}
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") go?.(1);
        if (event.key === "ArrowLeft") go?.(-1);
      }}
    >
      <div class="section-head">
        <h2 id="viewed"><bdi>{photo.custom_id}</bdi></h2>
        <div class="buttons">
          <button type="button" aria-label={said.previous} onClick={() => go?.(-1)}>←</button>
          <button type="button" aria-label={said.next} onClick={() => go?.(1)}>→</button>
          <button type="button" onClick={() => dialog.current?.close()}>{said.close}</button>
        </div>
      </div>
      <Picture jobId={jobId} photo={photo} alt={facesOf(photo)} marked={marked} />
      <ol class="told">
        {photo.faces.map((face) => (
          <li key={face.index} onMouseEnter={() => setMarked(face.index)} onMouseLeave={() => setMarked(undefined)}>
            <h3>{said.face(face.index + 1)}</h3>
            <Told face={face} />
          </li>
        ))}
      </ol>
      {photo.error ? <p class="bad"><bdi>{photo.error.message}</bdi></p> : photo.faces.length === 0 && <p>{said.noFace}</p>}
    </dialog>
  );
}

export function Faces({ jobId }: { jobId: string }) {
  const [sought, seek] = useSought();
  const asked = JSON.stringify(sought);
  const [photos, setPhotos] = useState<Photo[]>([]);
  const [cursor, setCursor] = useState<string | null>();
  const [wrong, setWrong] = useState<Problem>();
  const [away, setAway] = useState(0);
  const [viewed, setViewed] = useState<number>();
  const end = useRef<HTMLButtonElement>(null);
  const busy = useRef(false);
  const turn = useRef(0);
  const said = words.faces;
  useEffect(() => void (document.title = `${said.title} · Nightshift`), []);

  const more = async (): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    const mine = turn.current;
    try {
      const query = { ...queryOf(sought), limit: PAGE, cursor: cursor ?? undefined };
      const page = await get<PhotoPage>(`/v1/jobs/${jobId}/photos`, { query });
      if (mine !== turn.current) return;
      setPhotos((before) => [...before, ...page.photos.filter((photo) => photo.status === "succeeded" || photo.status === "failed")]);
      setCursor(page.next);
    } catch (error) {
      if (mine !== turn.current) return;
      if (error instanceof Problem) setWrong(error);
      else if (error instanceof Away) setTimeout(() => setAway((times) => times + 1), 2000);
      else throw error;
    } finally {
      if (mine === turn.current) busy.current = false;
    }
  };
  useEffect(() => {
    turn.current += 1;
    busy.current = false;
    setPhotos([]);
    setCursor(undefined);
    setWrong(undefined);
    setViewed(undefined);
  }, [asked]);
  useEffect(() => void (cursor === undefined && !wrong && more()), [asked, cursor, away]);
  // What is below the fold comes when somebody gets near it.
  useEffect(() => {
    if (!end.current) return;
    const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && void more(), { rootMargin: "1200px" });
    near.observe(end.current);
    return () => near.disconnect();
  }, [cursor, away]);

  const shown = viewed === undefined ? undefined : photos[viewed];
  const go = (by: number): void => setViewed((at) => (at === undefined ? at : Math.min(photos.length - 1, Math.max(0, at + by))));
  return (
    <>
      <p><a href={`#/jobs/${jobId}`}>{said.backToJob}</a></p>
      <div class="title">
        <h1>{said.title}</h1>
        <span class="soft" role="status">{words.photos(photos.length, count(photos.length))}{cursor ? " …" : ""}</span>
      </div>
      <Filters sought={sought} seek={seek} />
      {wrong && <p role="alert" class="bad">{wrong.status === 404 ? words.job.gone : words.somethingWrong(wrong.message)}</p>}
      {!wrong && cursor === null && photos.length === 0 && <p class="soft">{asked === "{}" ? said.none : asked === '{"status":"failed"}' ? words.failures.none : said.noSuch}</p>}
      <ul class="grid">
        {photos.map((photo, index) => (
          <li key={photo.photo_id}>
            <button type="button" class="tile" onClick={() => setViewed(index)} aria-label={said.open(photo.custom_id, facesOf(photo))}>
              <Picture jobId={jobId} photo={photo} alt="" />
              <span class="name"><bdi>{photo.custom_id}</bdi></span>
              <span class="soft">{facesOf(photo)}</span>
            </button>
          </li>
        ))}
      </ul>
      {cursor && <button type="button" ref={end} onClick={() => void more()}>{said.more}</button>}
      {shown && <Viewer jobId={jobId} photo={shown} go={go} close={() => setViewed(undefined)} />}
    </>
  );
}
