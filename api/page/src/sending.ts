// Sends photos into an open job: what the service knows is not sent, and what was broken off goes on.
import { ask, Away, get, post, Problem, type Checked, type Job } from "./api";
import type { Chosen } from "./chosen";

const AT_ONCE = 4;
/** As many as one request may ask about. */
const PIECE = 500;
const KEPT = "nightshift.sending";

export interface Sending {
  step: "hashing" | "sending";
  total: number;
  hashed: number;
  known: number;
  toSend: number;
  sent: number;
  refused: string[];
}

type Photos = Chosen["photos"];

function keep(jobId: string | undefined): void {
  try {
    if (jobId) localStorage.setItem(KEPT, jobId);
    else localStorage.removeItem(KEPT);
  } catch {
    // Then it cannot be resumed after a reload; the job is in the list all the same.
  }
}

export const forget = (): void => keep(undefined);

/** The job whose sending was broken off here, if it is still open. */
export async function rememberedJob(): Promise<Job | undefined> {
  let jobId: string | null = null;
  try {
    jobId = localStorage.getItem(KEPT);
  } catch {
    return undefined;
  }
  if (!jobId) return undefined;
  try {
    const job = await get<Job>(`/v1/jobs/${jobId}`);
    if (job.state === "open") return job;
  } catch (error) {
    if (!(error instanceof Problem)) return undefined;
  }
  forget();
  return undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Try until the service is there again; what it refuses stays refused, except that there is too much at once. */
async function patiently<Answer>(signal: AbortSignal, doIt: () => Promise<Answer>): Promise<Answer> {
  for (let failed = 0; ; failed += 1) {
    signal.throwIfAborted();
    try {
      return await doIt();
    } catch (error) {
      const isBusy = error instanceof Problem && error.status === 429;
      if (!(error instanceof Away) && !isBusy) throw error;
      await pause(isBusy ? error.retryAfterS * 1000 : Math.min(1000 * 2 ** failed, 8000));
    }
  }
}

/** Run `work` over all of them, a few at a time. */
async function each<One>(all: readonly One[], work: (one: One) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) await work(all[next++]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function digestOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Open a job, or go on with one, send what it lacks, submit it.
 *
 * Throws what the service refused of the job as a whole; a photo that is refused is named, and the others go on.
 * Where any was, the job stays open, for somebody to decide.
 */
export async function sendJob(
  photos: Photos, label: string, open: Job | undefined, tell: (now: Sending) => void, signal: AbortSignal,
): Promise<{ job: Job; refused: string[] }> {
  const now: Sending = { step: "hashing", total: photos.length, hashed: 0, known: 0, toSend: photos.length, sent: 0, refused: [] };
  const say = (): void => tell({ ...now, refused: [...now.refused] });
  say();
  const job = open ?? (await patiently(signal, () => post<Job>("/v1/jobs", { json: label ? { label } : {}, signal })));
  keep(job.id);
  const digests = new Map<string, Uint8Array>();
  let missing: Photos = photos;
  // Browsers hash for pages of this machine and of TLS alone.
  if (globalThis.crypto?.subtle) {
    await each(photos, async ({ name, file }) => {
      signal.throwIfAborted();
      digests.set(name, await digestOf(file));
      now.hashed += 1;
      say();
    });
    const wanted = new Set<string>();
    for (let from = 0; from < photos.length; from += PIECE) {
      const piece = photos.slice(from, from + PIECE);
      const json = { photos: piece.map(({ name }) => ({ custom_id: name, sha256: hexOf(digests.get(name)!) })) };
      const checked = await patiently(signal, () => post<Checked>(`/v1/jobs/${job.id}/photos/check`, { json, signal }));
      for (const name of checked.missing) wanted.add(name);
    }
    missing = photos.filter(({ name }) => wanted.has(name));
  }
  now.step = "sending";
  now.known = photos.length - missing.length;
  now.toSend = missing.length;
  say();
  await each(missing, async ({ name, file }) => {
    const digest = digests.get(name);
    const headers: Record<string, string> = { "Content-Type": "application/octet-stream" };
    if (digest) headers["Content-Digest"] = `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
    try {
      await patiently(signal, () => ask("PUT", `/v1/jobs/${job.id}/photos`, { query: { custom_id: name }, body: file, headers, signal }));
      now.sent += 1;
    } catch (error) {
      // Of the job, or of whoever sends: no other photo would do better.
      if (!(error instanceof Problem) || ![400, 409, 413, 415, 422].includes(error.status)) throw error;
      now.refused.push(`${name}: ${error.message}`);
    }
    say();
  });
  forget();
  if (now.refused.length) return { job, refused: now.refused };
  const sent = await patiently(signal, () => post<Job>(`/v1/jobs/${job.id}/submit`, { signal }));
  return { job: sent, refused: [] };
}
