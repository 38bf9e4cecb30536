// Asking again and again, while somebody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Away, listen, Problem, type Job } from "./api";

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** Nobody looks at a hidden tab: it asks nothing until it is shown again. */
const shown = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    const look = (): void => {
      if (!document.hidden || signal.aborted) {
        document.removeEventListener("visibilitychange", look);
        resolve();
      }
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look, { once: true });
  });

export interface Asking<Answer> {
  answer: Answer | undefined;
  /** What the service refused; an earlier answer, if any, stays. */
  problem: Problem | undefined;
  again: () => void;
}

/** Do `step` again and again; it returns how many milliseconds to wait, or undefined to stop. */
function useLoop(step: (signal: AbortSignal) => Promise<number | undefined>, keys: unknown[]): Problem | undefined {
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    setProblem(undefined);
    void (async () => {
      let failed = 0;
      while (!signal.aborted) {
        await shown(signal);
        if (signal.aborted) return;
        let pause: number | undefined;
        try {
          pause = await step(signal);
          failed = 0;
          if (!signal.aborted) setProblem(undefined);
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof Away) pause = Math.min(1000 * 2 ** failed++, 8000);
          else if (error instanceof Problem) {
            setProblem(error);
            // A fault of the service's own may be over soon; what it refuses, it refuses again.
            pause = error.status === 429 || error.status >= 500 ? error.retryAfterS * 1000 : undefined;
          } else throw error;
        }
        if (pause === undefined) return;
        await sleep(pause, signal);
      }
    })();
    return () => stop.abort();
  }, keys);
  return problem;
}

/** Whether the service could not be reached when it was asked last. */
export function useAway(): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => listen((heard) => setAway(heard === "away")), []);
  return isAway;
}

/** Ask for a document every so many milliseconds; once where that is 0. */
export function useAsked<Answer>(path: string | undefined, everyMs: number, key: unknown = ""): Asking<Answer> {
  const [answer, setAnswer] = useState<Answer>();
  const [asked, setAsked] = useState(0);
  const before = useRef(path);
  if (before.current !== path) {
    before.current = path;
    setAnswer(undefined);
  }
  const problem = useLoop(
    (() => {
      let etag = "";
      return async (signal: AbortSignal) => {
        if (path === undefined) return undefined;
        const found = await ask("GET", path, { headers: etag ? { "If-None-Match": etag } : {}, signal });
        if (found.status !== 304) {
          const said: Answer = await found.json();
          etag = found.headers.get("ETag") ?? "";
          if (!signal.aborted) setAnswer(said);
        }
        return everyMs || undefined;
      };
    })(),
    [path, everyMs, asked, key],
  );
  return { answer, problem, again: () => setAsked((times) => times + 1) };
}

/** Follow a job by requests that the service answers when something has changed. */
export function useJob(jobId: string): Asking<Job> & { put: (job: Job) => void } {
  const [answer, setAnswer] = useState<Job>();
  const [asked, setAsked] = useState(0);
  const problem = useLoop(
    (() => {
      let etag = "";
      return async (signal: AbortSignal) => {
        const headers: Record<string, string> = etag ? { "If-None-Match": etag, Prefer: "wait=20" } : {};
        const found = await ask("GET", `/v1/jobs/${jobId}`, { headers, signal });
        if (found.status !== 304) {
          etag = found.headers.get("ETag") ?? "";
          const job: Job = await found.json();
          if (!signal.aborted) setAnswer(job);
          // One that has ended may still be erased, or retried in another tab.
          if (job.state === "ended") return 5000;
        }
        return found.headers.has("Preference-Applied") ? 300 : 2000;
      };
    })(),
    [jobId, asked],
  );
  return { answer, problem, again: () => setAsked((times) => times + 1), put: setAnswer };
}
