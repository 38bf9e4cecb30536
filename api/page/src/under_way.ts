// What is being sent, whatever part of the page is shown meanwhile: it goes on while somebody looks elsewhere.
import { useEffect, useState } from "preact/hooks";
import type { Job } from "./api";
import type { Chosen } from "./chosen";
import { sendArchive, sendJob, type Sending } from "./sending";
import type { Wish } from "./wishes";

/** How the sending that was ended last went. */
export type Ended = { job: Job; refused: string[] } | { wrong: unknown } | undefined;

interface UnderWay {
  now: Sending | undefined;
  ended: Ended;
}

let state: UnderWay = { now: undefined, ended: undefined };
let stopper = new AbortController();
const lookers = new Set<(state: UnderWay) => void>();

function become(next: UnderWay): void {
  // Closing the tab breaks the sending off: the browser asks first.
  if (next.now && !state.now) addEventListener("beforeunload", ask);
  if (!next.now) removeEventListener("beforeunload", ask);
  state = next;
  for (const look of lookers) look(state);
}

const ask = (event: BeforeUnloadEvent): void => event.preventDefault();

export const stop = (): void => stopper.abort();

/** It was read, or something new is begun. */
export const clear = (): void => become({ ...state, ended: undefined });

/** Send it; resolved when that is over, however it went. */
export async function begin({ archive, isWhole, photos }: Chosen, wish: Wish, open: Job | undefined): Promise<void> {
  const { signal } = (stopper = new AbortController());
  const tell = (now: Sending): void => void (signal.aborted || become({ now, ended: undefined }));
  let ended: Ended;
  try {
    if (archive && isWhole) ended = { job: await sendArchive(archive, wish, tell, signal), refused: [] };
    else ended = await sendJob(photos, wish, open, tell, signal);
  } catch (wrong) {
    ended = signal.aborted ? undefined : { wrong };
  }
  become({ now: undefined, ended });
}

export function useUnderWay(): UnderWay {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    setSeen(state);
    lookers.add(setSeen);
    return () => void lookers.delete(setSeen);
  }, []);
  return seen;
}
