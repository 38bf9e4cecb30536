// Every request the page makes. What comes back is typed by the API's own description (made/api.ts).
import type { components } from "./made/api";

export type Schemas = components["schemas"];
export type Job = Schemas["Job"];
export type Photo = Schemas["Photo"];
export type Face = Schemas["Face"];
export type Summary = Schemas["Summary"];
export type Erasure = Schemas["Erasure"];
export type SignIn = Schemas["SignIn"];
export type Readiness = Schemas["Readiness"];
export type JobPage = Schemas["JobPage"];
export type PhotoPage = Schemas["PhotoPage"];
export type Breakdown = Schemas["Breakdown"];
export type Outline = Schemas["PhotoOutline"];
export type Checked = Schemas["Checked"];
export type Estimate = Schemas["Estimate"];
export type Overview = Schemas["Overview"];
export type SeenJob = Schemas["SeenJob"];
export type Wait = Schemas["Wait"];
export type AuditPage = Schemas["AuditPage"];
export type Verb = Schemas["AuditEntry"]["verb"];
export type Delivery = Schemas["Delivery"];
export type DeliveryPage = Schemas["DeliveryPage"];
export type ErasurePage = Schemas["ErasurePage"];
export type ExpiringList = Schemas["ExpiringList"];
export type History = Schemas["History"];
export type Key = Schemas["Key"];
export type KeyList = Schemas["KeyList"];
export type MadeKey = Schemas["MadeKey"];
export type MadeSecret = Schemas["MadeSecret"];
export type Model = Schemas["Model"];
export type ModelCard = Schemas["ModelCard"];
export type ModelList = Schemas["ModelList"];
export type Receiver = Schemas["Receiver"];
export type Webhooks = Schemas["Webhooks"];

/** What the service refused, with its code and its sentence. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retryAfterS: number) {
    super(message);
  }
}

/** The service could not be reached, or a part of it is away. */
export class Away extends Error {}

type Heard = "here" | "away" | "signed_out" | "signed_in";
const listeners = new Set<(heard: Heard) => void>();

/** Be told what each answer says of the service and the session; returns how to stop. */
export function listen(listener: (heard: Heard) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Have every listener know. */
export function tell(heard: Heard): void {
  for (const listener of listeners) listener(heard);
}

export interface Asked {
  query?: Record<string, string | number | string[] | undefined>;
  json?: unknown;
  body?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function address(path: string, query: Asked["query"] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)]),
  );
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

/** Ask, and hand back the answer whatever its status below 400, and 304. Throws `Problem`, `Away`, or AbortError. */
export async function ask(method: string, path: string, asked: Asked = {}): Promise<Response> {
  const headers = { ...asked.headers };
  let body: BodyInit | undefined = asked.body;
  if (asked.json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(asked.json);
  }
  let answer: Response;
  try {
    const options: RequestInit = { method, headers, cache: "no-store" };
    if (body !== undefined) options.body = body;
    if (asked.signal) options.signal = asked.signal;
    answer = await fetch(address(path, asked.query), options);
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw lost();
  }
  return answered(answer, path);
}

/** Nothing came back: what is thrown then. */
export function lost(): Away {
  tell("away");
  return new Away();
}

/** The answer, or what it says went wrong. Throws `Problem`, `Away`. */
export async function answered(answer: Response, path: string): Promise<Response> {
  if (answer.ok || answer.status === 304) {
    tell("here");
    return answer;
  }
  const problem = await problemOf(answer);
  // A proxy before the service answers 502 or 504, without a code of ours.
  if (problem.status === 503 || (problem.code === "" && problem.status >= 500)) throw lost();
  tell(problem.status === 401 && path !== "/v1/session" ? "signed_out" : "here");
  throw problem;
}

export async function get<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
  return (await ask("GET", path, asked)).json() as Promise<Answer>;
}

export async function post<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
  return (await ask("POST", path, asked)).json() as Promise<Answer>;
}

async function problemOf(answer: Response): Promise<Problem> {
  let said: { code?: string; detail?: string } = {};
  try {
    said = await answer.json();
  } catch {
    // Not ours: a proxy's own page.
  }
  const wait = Number(answer.headers.get("Retry-After")) || 5;
  return new Problem(answer.status, said.code ?? "", said.detail ?? answer.statusText, wait);
}

/** Every photo of a job that a filter lets through, page by page. */
export async function* allPhotos(jobId: string, query: Asked["query"], signal?: AbortSignal): AsyncGenerator<Photo> {
  let cursor: string | null | undefined;
  do {
    const asked: Asked = { query: { ...query, limit: 500, cursor: cursor ?? undefined } };
    if (signal) asked.signal = signal;
    const page: PhotoPage = await get(`/v1/jobs/${jobId}/photos`, asked);
    yield* page.photos;
    cursor = page.next;
  } while (cursor);
}
