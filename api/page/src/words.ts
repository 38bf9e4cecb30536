// Which language the page speaks, and how it writes numbers, times and sizes.
import { de } from "./words/de";
import { en, type Words } from "./words/en";

const KEPT = "nightshift.language";

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export const language: "de" | "en" = (kept() ?? navigator.language).startsWith("de") ? "de" : "en";
export const words: Words = language === "de" ? de : en;

export function speakTheOther(): void {
  try {
    localStorage.setItem(KEPT, language === "de" ? "en" : "de");
  } catch {
    // Where nothing may be kept, the browser's own language stays.
  }
  location.reload();
}

/** What a code means and what to do, in this language; undefined of one that a newer service has. */
export const toldOf = (code: string): readonly [string, string] | undefined =>
  (words.codes as Record<string, readonly [string, string] | undefined>)[code];

/** Somebody's words within a sentence, which may run the other way: they stand by themselves. */
export const isolated = (text: string): string => `\u2068${text}\u2069`;

const counts = new Intl.NumberFormat(language === "de" ? "de-DE" : "en-GB");
const rates = new Intl.NumberFormat(language === "de" ? "de-DE" : "en-GB", { maximumSignificantDigits: 2 });
const clock = new Intl.DateTimeFormat(language === "de" ? "de-DE" : "en-GB", { hour: "2-digit", minute: "2-digit" });
const dated = new Intl.DateTimeFormat(language === "de" ? "de-DE" : "en-GB", {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});

const exact = new Intl.NumberFormat(language === "de" ? "de-DE" : "en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A part of a whole, 0 to 1, in whole per cent; `fine` with a tenth. */
export const share = (part: number, fine = false): string => `${fine ? exact.format(100 * part) : counts.format(Math.round(100 * part))} %`;
/** Likewise, with a tenth. */
export const percent = (part: number): string => share(part, true);
const datedFar = new Intl.DateTimeFormat(language === "de" ? "de-DE" : "en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});

export const count = (n: number): string => counts.format(n);
export const rate = (n: number): string => rates.format(n);

/** A time of day; with the day, where that is another. */
export function time(at: string): string {
  const then = new Date(at);
  return Math.abs(then.getTime() - Date.now()) < 12 * 3600e3 ? clock.format(then) : day(at);
}

/** The hour and minute of a time, whatever its day. */
export const clockOf = (at: string): string => clock.format(new Date(at));

/** With the year where it is another than now. */
export const day = (at: string): string => {
  const then = new Date(at);
  return (then.getFullYear() === new Date().getFullYear() ? dated : datedFar).format(then);
};

const hours = new Intl.DateTimeFormat(language === "de" ? "de-DE" : "en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});

/** `2026-05-30T21` of a camera's clock, in whatever zone that was. */
export const hour = (key: string): string => {
  const at = new Date(`${key}:00Z`);
  return Number.isNaN(at.getTime()) ? key : hours.format(at);
};

export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit ? rates.format(bytes) : bytes} ${units[unit]}`;
}
