// Sends photos into an open job: what the service knows is not sent, and what was broken off goes on.
import { answered, ask, Away, get, lost, post, Problem, type Checked, type Job } from "./api";
import type { Chosen } from "./chosen";
import { formOf, type Wish } from "./wishes";

const AT_ONCE = 4;
/** As many as one request may ask about. */
const PIECE = 500;
const KEPT = "nightshift.sending";

export interface Sending {
  step: "hashing" | "sending" | "archive";
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

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** With it a request that is sent again, because its answer was lost, makes no second job. */
const newKey = (): string => hexOf(crypto.getRandomValues(new Uint8Array(16)));

/** Try until the service is there again; what it refuses stays refused, except that there is too much at once. */
async function patiently<Answer>(signal: AbortSignal, doIt: () => Promise<Answer>): Promise<Answer> {
  for (let failed = 0; ; failed += 1) {
    signal.throwIfAborted();
    try {
      return await doIt();
    } catch (error) {
      const isBusy = error instanceof Problem && error.status === 429;
      if (!(error instanceof Away) && !isBusy) throw error;
      await pause(isBusy ? error.retryAfterS * 1000 : Math.min(1000 * 2 ** failed, 8000), signal);
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
  photos: Photos, wish: Wish, open: Job | undefined, tell: (now: Sending) => void, signal: AbortSignal,
): Promise<{ job: Job; refused: string[] }> {
  const now: Sending = { step: "hashing", total: photos.length, hashed: 0, known: 0, toSend: photos.length, sent: 0, refused: [] };
  const say = (): void => tell({ ...now, refused: [...now.refused] });
  say();
  const key = newKey();
  const job = open ?? (await patiently(signal, () => post<Job>("/v1/jobs", { json: wish, headers: { "Idempotency-Key": key }, signal })));
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

/** Send an archive as a job of its own, submitted; it begins anew where the network was lost. Throws as `sendJob`. */
export async function sendArchive(archive: File, wish: Wish, tell: (now: Sending) => void, signal: AbortSignal): Promise<Job> {
  const now: Sending = { step: "archive", total: 1, hashed: 0, known: 0, toSend: archive.size, sent: 0, refused: [] };
  const key = newKey();
  return patiently(signal, () => {
    tell(now);
    return upload(formOf(wish, archive), key, signal, (sent) => tell({ ...now, sent: Math.min(sent, archive.size) }));
  });
}

/** `fetch` does not tell how far it is. */
function upload(form: FormData, key: string, signal: AbortSignal, tell: (sent: number) => void): Promise<Job> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = ({ loaded }) => tell(loaded);
    request.onerror = () => reject(lost());
    request.onabort = () => reject(signal.reason);
    request.onload = () => {
      const body = new Response(request.responseText, { status: request.status, headers: { "Retry-After": request.getResponseHeader("Retry-After") ?? "" } });
      answered(body, "/v1/jobs").then((answer) => answer.json()).then(resolve, reject);
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}
