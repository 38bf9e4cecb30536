// The photos that are sought, however many: their shapes at once, themselves page by page as they are looked at.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { address, Away, get, Problem, type Asked, type Outline, type Photo, type PhotoPage } from "./api";
import { useAsked } from "./asking";

const PAGE = 100;
/** Kept of those that were looked at; of more, the one farthest away goes. */
const MOST_PAGES = 60;
const AT_ONCE = 2;
/** While somebody scrolls fast nothing is asked for. */
const REST_MS = 60;

export interface Album {
  outline: Outline | undefined;
  problem: Problem | undefined;
  /** Undefined until its page is there. */
  photo: (position: number) => Photo | undefined;
  /** Have these photos come, then the one that is in the page `besides`, and no others. */
  want: (from: number, to: number, besides?: number) => void;
}

const isFinal = ({ status }: Photo): boolean => status !== "queued" && status !== "running";

/** Follow what is sought of a job; its photos are asked for again every `everyMs` while some are in work, never for 0. */
export function useAlbum(jobId: string, query: NonNullable<Asked["query"]>, everyMs: number): Album {
  const base = `/v1/jobs/${jobId}/photos`;
  const { answer: outline, problem } = useAsked<Outline>(address(`${base}/outline`, { ...query, limit: PAGE }), everyMs);
  const [wrong, setWrong] = useState<Problem>();
  const [, setChanged] = useState(0);
  const asked = JSON.stringify(query);
  const kept = useMemo(() => new Map<number, Photo[]>(), [jobId, asked]);
  const now = useRef({ kept, outline, from: 0, to: 0, besides: 0, stale: new Set<number>() });
  if (now.current.kept !== kept) now.current = { kept, outline, from: 0, to: 0, besides: 0, stale: new Set() };
  if (now.current.outline !== outline) {
    now.current.outline = outline;
    // What was in work may be done.
    for (const [page, photos] of kept) if (!photos.every(isFinal) || photos.length < PAGE) now.current.stale.add(page);
  }

  const loader = useMemo(() => {
    const busy = new Set<number>();
    let timer = 0;
    let over = false;
    const state = now.current;
    const missing = (): number | undefined => {
      const { from, to, besides, stale } = state;
      if (!state.outline?.total) return undefined;
      const wanted: number[] = [];
      for (let page = Math.floor(from / PAGE); page * PAGE < Math.min(to, state.outline.total); page += 1) wanted.push(page);
      if (besides < state.outline.total) wanted.push(Math.floor(besides / PAGE));
      return wanted.find((page) => !busy.has(page) && (!kept.has(page) || stale.has(page)));
    };
    const load = async (page: number): Promise<void> => {
      busy.add(page);
      let pause = 0;
      try {
        const cursor = page ? state.outline?.cursors[page - 1] : undefined;
        const found = await get<PhotoPage>(base, { query: { ...query, limit: PAGE, cursor } });
        if (over) return;
        kept.set(page, found.photos);
        state.stale.delete(page);
        const middle = (state.from + state.to) / 2 / PAGE;
        while (kept.size > MOST_PAGES) kept.delete([...kept.keys()].reduce((far, one) => (Math.abs(one - middle) > Math.abs(far - middle) ? one : far)));
        setChanged((times) => times + 1);
      } catch (error) {
        if (error instanceof Problem && error.status !== 429) return void (over || setWrong(error));
        if (!(error instanceof Problem) && !(error instanceof Away)) throw error;
        pause = error instanceof Problem ? error.retryAfterS * 1000 : 2000;
      } finally {
        busy.delete(page);
      }
      soon(pause);
    };
    const step = (): void => {
      timer = 0;
      while (!over && busy.size < AT_ONCE) {
        const page = missing();
        if (page === undefined) return;
        void load(page);
      }
    };
    const soon = (ms: number): void => {
      clearTimeout(timer);
      if (!over) timer = window.setTimeout(step, ms);
    };
    return { soon, stop: () => ((over = true), clearTimeout(timer)) };
  }, [kept]);
  useEffect(() => (setWrong(undefined), loader.stop), [loader]);
  useEffect(() => loader.soon(0), [outline]);

  return {
    outline,
    problem: problem ?? wrong,
    photo: (position) => kept.get(Math.floor(position / PAGE))?.[position % PAGE],
    want: (from, to, besides = from) => {
      const state = now.current;
      if (state.from === from && state.to === to && state.besides === besides) return;
      Object.assign(state, { from, to, besides });
      loader.soon(REST_MS);
    },
  };
}
