// Sends photos into an open job: what the service knows is not sent, and what was broken off goes on.
import { sha256 } from "@noble/hashes/sha2.js";
import { answered, ask, Away, get, listen, lost, post, Problem, type Checked, type Job } from "./api";
import type { Member } from "./members";
import { formOf, type Wish } from "./wishes";
import { words } from "./words";

const AT_ONCE = 4;
/** As many as one request may ask about. */
const PIECE = 500;
const KEPT = "nightshift.sending";
const MOST_KEPT = 20;

export interface Sending {
  step: "hashing" | "sending" | "archive";
  total: number;
  hashed: number;
  known: number;
  toSend: number;
  sent: number;
}

/** Jobs whose photos are on their way from here: several, where several tabs send. */
function kept(): string[] {
  try {
    const said: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(said) ? said.map(String) : [];
  } catch {
    return []; // Then it cannot be resumed after a reload; the job is in the list all the same.
  }
}

function keep(jobIds: string[]): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(jobIds.slice(-MOST_KEPT)));
  } catch {
    // As above.
  }
}

export const forget = (jobId: string): void => keep(kept().filter((one) => one !== jobId));

const lockOf = (jobId: string): string => `nightshift.sending.${jobId}`;

/** Whether a tab sends it just now; browsers tell pages of this machine and of TLS alone. */
async function isUnderWay(jobId: string): Promise<boolean> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === lockOf(jobId));
}

/** The job whose sending was broken off here last, if it is still open. */
export async function rememberedJob(): Promise<Job | undefined> {
  for (const jobId of kept().reverse()) {
    try {
      const job = await get<Job>(`/v1/jobs/${jobId}`);
      if (job.state !== "open") forget(jobId);
      else if (!(await isUnderWay(jobId))) return job;
    } catch (error) {
      // Of somebody else, perhaps, who was signed in here before; any other answer says nothing of the job.
      if (error instanceof Problem && error.status === 404) forget(jobId);
    }
  }
  return undefined;
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** With it a request that is sent again, because its answer was lost, makes no second job. */
const newKey = (): string => hexOf(crypto.getRandomValues(new Uint8Array(16)));

/** Whoever sends was signed out: resolved when somebody is signed in again. */
const signedIn = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => (stop(), resolve());
    const stop = listen((heard) => heard === "signed_in" && done());
    signal.addEventListener("abort", done, { once: true });
  });

/** Try until the service is there again; what it refuses stays refused, but for a session's end and too much at once. */
async function patiently<Answer>(signal: AbortSignal, doIt: () => Promise<Answer>): Promise<Answer> {
  for (let failed = 0; ; failed += 1) {
    signal.throwIfAborted();
    try {
      return await doIt();
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0;
      if (status === 401) await signedIn(signal);
      else if (error instanceof Problem && status === 429) await pause(error.retryAfterS * 1000, signal);
      else if (error instanceof Away) await pause(Math.min(1000 * 2 ** failed, 8000), signal);
      else throw error;
    }
  }
}

/** Run `work` over all of them, a few at a time; where one throws, the others end, too, before this does. */
async function each<One>(all: readonly One[], signal: AbortSignal, work: (one: One, signal: AbortSignal) => Promise<void>): Promise<void> {
  const wrong = new AbortController();
  const either = AbortSignal.any([signal, wrong.signal]);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) {
      either.throwIfAborted();
      await work(all[next++]!, either);
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, () => lane().catch((error: unknown) => (wrong.abort(error), Promise.reject(error))));
  const ended = await Promise.allSettled(lanes);
  if (ended.some(({ status }) => status === "rejected")) throw signal.aborted ? signal.reason : wrong.signal.reason;
}

/** Browsers hash for pages of this machine and of TLS alone; for those of plain HTTP it takes a little longer. */
async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", bytes)) : sha256(bytes);
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * Open a job, or go on with one, send what it lacks, submit it.
 *
 * Throws what the service refused of the job as a whole; a photo that is refused, or cannot be read, is named, and the
 * others go on. Where any was, the job stays open, for somebody to decide.
 */
export async function sendJob(
  photos: readonly Member[], wish: Wish, open: Job | undefined, tell: (now: Sending) => void, signal: AbortSignal,
): Promise<{ job: Job; refused: string[] }> {
  const key = newKey();
  const job = open ?? (await patiently(signal, () => post<Job>("/v1/jobs", { json: wish, headers: { "Idempotency-Key": key }, signal })));
  forget(job.id);
  keep([...kept(), job.id]);
  const fill = (): Promise<{ job: Job; refused: string[] }> => fillJob(job, photos, tell, signal);
  return navigator.locks ? navigator.locks.request(lockOf(job.id), { signal }, fill) : fill();
}

async function fillJob(job: Job, photos: readonly Member[], tell: (now: Sending) => void, signal: AbortSignal): Promise<{ job: Job; refused: string[] }> {
  const now: Sending = { step: "hashing", total: photos.length, hashed: 0, known: 0, toSend: photos.length, sent: 0 };
  const refused: string[] = [];
  const say = (): void => tell({ ...now });
  say();
  const digests = new Map<string, Uint8Array>();
  // Those sent overtake each other: each says where it is listed, as the command has it.
  const places = new Map(photos.map(({ name }) => name).sort().map((name, place) => [name, place]));
  // It was moved, or its card was taken out: of the service's answers none would say so.
  const read = async ({ name, read: doRead }: Member): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      return await doRead();
    } catch {
      refused.push(`${name}: ${words.fresh.notRead}`);
      return undefined;
    }
  };
  await each(photos, signal, async (photo) => {
    const bytes = await read(photo);
    if (bytes) digests.set(photo.name, await digestOf(bytes));
    now.hashed += 1;
    say();
  });
  const readable = photos.filter(({ name }) => digests.has(name));
  const wanted = new Set<string>();
  for (let from = 0; from < readable.length; from += PIECE) {
    const piece = readable.slice(from, from + PIECE);
    const json = { photos: piece.map(({ name }) => ({ custom_id: name, sha256: hexOf(digests.get(name)!), place: places.get(name)! })) };
    const checked = await patiently(signal, () => post<Checked>(`/v1/jobs/${job.id}/photos/check`, { json, signal }));
    for (const name of checked.missing) wanted.add(name);
  }
  const missing = readable.filter(({ name }) => wanted.has(name));
  now.known = readable.length - missing.length;
  now.step = "sending";
  now.toSend = missing.length;
  say();
  await each(missing, signal, async (photo, either) => {
    const { name } = photo;
    const bytes = await read(photo);
    if (!bytes) return say();
    const digest = btoa(String.fromCharCode(...digests.get(name)!));
    const headers = { "Content-Type": "application/octet-stream", "Content-Digest": `sha-256=:${digest}:` };
    const body = new Blob([bytes]);
    try {
      await patiently(either, () => ask("PUT", `/v1/jobs/${job.id}/photos`, { query: { custom_id: name, place: String(places.get(name)!) }, body, headers, signal: either }));
      now.sent += 1;
    } catch (error) {
      // Of the job, or of whoever sends: no other photo would do better.
      if (!(error instanceof Problem) || ![400, 409, 413, 415, 422].includes(error.status)) throw error;
      refused.push(`${name}: ${error.message}`);
    }
    say();
  });
  if (refused.length) return { job, refused };
  const sent = await patiently(signal, () => post<Job>(`/v1/jobs/${job.id}/submit`, { signal }));
  forget(job.id);
  return { job: sent, refused: [] };
}

/** Send an archive as it is, as a job of its own, submitted; it begins anew where the network was lost. Throws as `sendJob`. */
export async function sendArchive(archive: File, wish: Wish, tell: (now: Sending) => void, signal: AbortSignal): Promise<Job> {
  const now: Sending = { step: "archive", total: 1, hashed: 0, known: 0, toSend: archive.size, sent: 0 };
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
