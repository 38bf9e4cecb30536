// Photos of a job with a box at each face, however many, and a viewer with what each face was given.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Breakdown, Job } from "./api";
import { useAsked } from "./asking";
import { useBack } from "./back";
import { Gone } from "./gone";
import { Grid } from "./grid";
import { useAlbum } from "./outline";
import { Filters, isAll, queryOf, useSought } from "./sought";
import { hashWith, useViewed, viewedIn } from "./viewed";
import { Viewer } from "./viewer";
import { count, words } from "./words";

/** How often a job that goes on is asked for what is new. */
const EVERY_MS = 5000;

export function Faces({ jobId }: { jobId: string }) {
  const [sought, seek] = useSought();
  const asked = JSON.stringify(sought);
  // Also of one that has ended: it may be erased, or tried again, while it is looked at.
  const job = useAsked<Job>(`/v1/jobs/${jobId}`, EVERY_MS);
  const album = useAlbum(jobId, queryOf(sought), job.answer?.state === "ended" ? 0 : EVERY_MS);
  const folders = useAsked<Breakdown>(`/v1/jobs/${jobId}/breakdown`, 0, job.answer?.state).answer?.by_folder ?? [];
  const [viewed, setViewed] = useViewed(asked);
  const [active, setActive] = useState(viewed ?? 0);
  const returned = useRef(false);
  const said = words.faces;
  useEffect(() => void (document.title = `${said.title} · Nightshift`), []);
  useEffect(() => setActive(viewedIn(location.hash) ?? 0), [asked]);
  // The keyboard goes on at the photo that was looked at last.
  useEffect(() => {
    if (viewed !== undefined || !returned.current) return;
    returned.current = false;
    document.querySelector<HTMLElement>(`.grid [data-position="${active}"] > button`)?.focus();
  });

  useEffect(() => void (viewed !== undefined && album.want(Math.max(0, viewed - 1), viewed + 2)));

  const { outline, photo } = album;
  const close = (): void => {
    if (viewed === undefined) return;
    setActive(viewed);
    setViewed(undefined);
    returned.current = true;
  };
  useBack(viewed !== undefined, close, hashWith(location.hash, viewed), hashWith(location.hash));
  useEffect(() => {
    if (viewed !== undefined) history.replaceState(history.state, "", hashWith(location.hash, viewed));
  }, [viewed]);
  // There are not so many, or no longer.
  useEffect(() => {
    if (outline && viewed !== undefined && viewed >= outline.total) setViewed(undefined);
  }, [outline, viewed]);
  const problem = job.problem ?? album.problem;
  if (problem?.status === 404) return <Gone />;
  const total = outline?.total ?? 0;
  const go = (by: number): void => setViewed((at) => (at === undefined ? at : Math.min(total - 1, Math.max(0, at + by))));
  return (
    <>
      <p><a href={`#/jobs/${jobId}`}>{said.backToJob}</a></p>
      <div class="title">
        <h1>{said.title}</h1>
        <span class="soft" role="status">{outline ? words.photos(total, count(total)) : words.loading}</span>
      </div>
      <Filters sought={sought} seek={seek} folders={folders.map(({ key }) => key).filter(Boolean)} />
      {problem && <p role="alert" class="bad">{words.somethingWrong(problem.message)}</p>}
      {outline && total === 0 && <p class="soft">{isAll(sought) ? said.none : isAll({ ...sought, status: "" }) && sought.status ? words.failures.none : said.noSuch}</p>}
      <Grid jobId={jobId} album={album} isBehind={viewed !== undefined} active={active} setActive={setActive} open={(position) => (setActive(position), setViewed(position))} key={asked} />
      {viewed !== undefined && viewed < total && (
        <Viewer
          jobId={jobId}
          photo={photo(viewed)}
          beside={[photo(viewed - 1), photo(viewed + 1)]}
          position={viewed}
          total={total}
          go={go}
          close={close}
        />
      )}
    </>
  );
}
