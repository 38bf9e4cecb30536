// Files that somebody chose or dropped, by the names they will have in the job.

import { isPicture, isTakenByItsName, leftForItsPlace, rawBesideJpeg, type Left } from "./taken";
import { namesInZip } from "./zip_names";

const ARCHIVES = /\.(zip|tar|tar\.gz|tgz)$/i;

export interface Chosen {
  photos: { name: string; file: File }[];
  /** Sent whole, and unpacked by a worker; then there are no photos beside it. */
  archive: File | undefined;
  /** How many photos there are; undefined where only the service can tell. */
  count: number | undefined;
  /** Of no kind that is read; in a zip as well. */
  unread: string[];
  /** How many photos are left alone, and why. */
  left: Partial<Record<Left, number>>;
  /** Of which there is nothing. */
  empty: string[];
  bytes: number;
  /** The folder's name, where one was chosen. */
  label: string;
  /** A name that two have. */
  twice: string | undefined;
}

/** The path below the folder that was dropped; a browser sets it on files of `<input webkitdirectory>` alone. */
const paths = new WeakMap<File, string>();

const pathOf = (file: File): string => paths.get(file) ?? (file.webkitRelativePath || file.name);

const BEGINNING_BYTES = 512;

async function begins(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.slice(0, BEGINNING_BYTES).arrayBuffer());
  } catch {
    return new Uint8Array(); // What cannot be read is told when it is sent.
  }
}

function leave(found: Chosen, why: Left | ""): void {
  if (why) found.left[why] = (found.left[why] ?? 0) + 1;
}

/** Of a zip's names: photos, and what is of no kind that is read. Its bytes are not looked at; the service does. */
async function inZip(found: Chosen, names: readonly string[]): Promise<void> {
  const photos: string[] = [];
  for (const name of names) {
    const why = leftForItsPlace(name);
    if (why !== undefined) leave(found, why);
    else if (isTakenByItsName(name)) photos.push(name);
    else found.unread.push(name);
  }
  const raw = await rawBesideJpeg(photos, async () => false);
  for (const _ of raw) leave(found, "RAW beside a JPEG");
  found.count = photos.length - raw.size;
}

/** What is to be sent of these files, and what is not. An archive is a job of its own: it has to be alone. */
export async function chosenOf(files: Iterable<File>): Promise<Chosen> {
  const found: Chosen = { photos: [], archive: undefined, count: 0, unread: [], left: {}, empty: [], bytes: 0, label: "", twice: undefined };
  const names = new Set<string>();
  const archives: File[] = [];
  for (const file of files) {
    const [first, ...below] = pathOf(file).split("/");
    const name = below.length ? below.join("/") : first!;
    const why = leftForItsPlace(name);
    if (below.length) found.label = first!;
    if (why !== undefined) leave(found, why);
    else if (ARCHIVES.test(name)) archives.push(file);
    else if (!isTakenByItsName(name) && !isPicture(await begins(file))) found.unread.push(name);
    else if (!file.size) found.empty.push(name);
    else {
      if (names.has(name)) found.twice = name;
      names.add(name);
      found.photos.push({ name, file });
    }
  }
  const fileOf = new Map(found.photos.map(({ name, file }) => [name, file]));
  const raw = await rawBesideJpeg([...fileOf.keys()], async (name) => !isPicture(await begins(fileOf.get(name)!)));
  for (const _ of raw) leave(found, "RAW beside a JPEG");
  found.photos = found.photos.filter(({ name }) => !raw.has(name));
  found.bytes = found.photos.reduce((sum, { file }) => sum + file.size, 0);
  const [archive, ...others] = archives;
  if (found.photos.length || others.length || !archive) {
    found.unread.push(...archives.map(pathOf));
    return { ...found, count: found.photos.length };
  }
  const inside = /\.zip$/i.test(archive.name) ? await namesInZip(archive) : undefined;
  found.count = undefined;
  if (inside) await inZip(found, inside);
  return { ...found, archive, bytes: archive.size, label: archive.name.replace(ARCHIVES, "") };
}

/** Every file that was dropped, those in folders, too. */
export async function filesOf(dropped: DataTransfer): Promise<File[]> {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const files: File[] = [];
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
      paths.set(file, entry.fullPath.replace(/^\//, ""));
      files.push(file);
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // A hundred at a time, until none are left.
      const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return files;
}
