// What of a folder is taken for a photo: nightshift/words/what_is_taken.py and pairs.py, whose words are in made/taken.ts.
import { rule } from "./made/taken";

export type Left = "of a system" | "hidden" | "previews of a photo library" | "RAW beside a JPEG";

const sets = Object.fromEntries(Object.entries(rule).map(([name, words]) => [name, new Set<string | number>(words as readonly (string | number)[])])) as Record<keyof typeof rule, Set<string | number>>;
const DARKTABLE = /^mipmaps-[0-9a-f]{6,}\.d$/;
const NEXTCLOUD = /^appdata_[0-9a-z]+$/;

/** With its dot, in small letters; empty where there is none. */
export function extensionOf(name: string): string {
  const own = name.split("/").at(-1)!.replace(/^\.+/, "");
  const at = own.lastIndexOf(".");
  return at < 0 ? "" : own.slice(at).toLowerCase();
}

export const isTakenByItsName = (name: string): boolean => sets.extensions.has(extensionOf(name));

/** Why a file is nobody's photo, whatever is in it; empty for what is not counted, undefined where its place says nothing. */
export function leftForItsPlace(path: string): Left | "" | undefined {
  const parts = path.split("/").filter((part) => part && part !== "." && part !== "..").map((part) => part.toLowerCase());
  for (const [at, part] of parts.entries()) {
    if (sets.traces.has(part) || part.startsWith("."))
      return at === parts.length - 1 && isTakenByItsName(part) && !part.startsWith("._") ? "hidden" : "";
    if (sets.system.has(part)) return "of a system";
    if (rule.previewFolders.some((end) => part.endsWith(end)) || DARKTABLE.test(part)) return "previews of a photo library";
  }
  const isMade = parts.slice(1).some((inner, at) => {
    const part = parts[at]!;
    const inLibrary = rule.libraries.some((end) => part.endsWith(end)) || part === "iphoto library";
    return (inLibrary && !sets.originals.has(inner)) || sets.previewPairs.has(`${part}/${inner}`) || (inner === "preview" && NEXTCLOUD.test(part));
  });
  return isMade || (parts.length && sets.cameraPreviews.has(extensionOf(path))) ? "previews of a photo library" : undefined;
}

const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Whether the first 512 bytes are those of a picture that is read, or of a camera's raw file. */
export function isPicture(bytes: Uint8Array): boolean {
  const text = textOf(bytes);
  if (text.slice(4, 8) === "ftyp") {
    const end = Math.min(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0), bytes.length);
    const brands = [text.slice(8, 12)];
    for (let at = 16; at < end - 3; at += 4) brands.push(text.slice(at, at + 4));
    return brands.some((brand) => sets.brands.has(brand));
  }
  if (rule.starts.some((start) => text.startsWith(start))) return true;
  if (text.startsWith("RIFF")) return text.slice(8, 12) === "WEBP";
  return text.startsWith("BM") && bytes.length >= 18 && sets.bitmapHeaders.has(new DataView(bytes.buffer, bytes.byteOffset).getUint32(14, true));
}

const stemOf = (name: string): string => name.slice(0, name.length - extensionOf(name).length).toLowerCase();

/** Raw files that lie beside a JPEG of their name. A JPEG for which `isHollow` says so, is nobody's other half. */
export async function rawBesideJpeg(names: readonly string[], isHollow: (name: string) => Promise<boolean>): Promise<Set<string>> {
  const raw = new Map<string, string[]>();
  for (const name of names) if (sets.raw.has(extensionOf(name))) raw.set(stemOf(name), [...(raw.get(stemOf(name)) ?? []), name]);
  const left = new Set<string>();
  for (const name of names) {
    const beside = sets.shown.has(extensionOf(name)) ? raw.get(stemOf(name)) : undefined;
    if (beside && !(await isHollow(name))) for (const one of beside) left.add(one);
  }
  return left;
}
