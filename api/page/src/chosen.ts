// Files that somebody chose or dropped, or that lie in an archive, by the names they will have in the job.

import { ARCHIVES, membersOf, type Member } from "./members";
import { isPicture, isTakenByItsName, leftForItsPlace, rawBesideJpeg, type Left } from "./taken";

export interface Chosen {
  photos: Member[];
  archive: File | undefined;
  /** Whether the archive is sent as it is, and unpacked by a worker; then there are no photos beside it. */
  isWhole: boolean;
  /** How many photos there are; undefined where only the service can tell. */
  count: number | undefined;
  /** Of no kind that is read; in an archive as well. */
  unread: string[];
  /** How many photos are left alone, and why. */
  left: Partial<Record<Left, number>>;
  /** Of which there is nothing. */
  empty: string[];
  bytes: number;
  /** The folder's name, or those of the first few. */
  label: string;
  /** A name that two have. */
  twice: string | undefined;
}

/** The path below the folder that was dropped; a browser sets it on files of `<input webkitdirectory>` alone. */
const paths = new WeakMap<File, string>();

const pathOf = (file: File): string => paths.get(file) ?? (file.webkitRelativePath || file.name);

const BEGINNING_BYTES = 512;
/** So many folders name a job. */
const MOST_FOLDERS = 3;

async function begins(member: Member): Promise<Uint8Array> {
  try {
    return await member.read(BEGINNING_BYTES);
  } catch {
    return new Uint8Array(); // What cannot be read is told when it is sent.
  }
}

const memberOf = (name: string, file: File): Member => ({
  name,
  size: file.size,
  isPlain: true,
  read: async (most = file.size) => new Uint8Array(await file.slice(0, most).arrayBuffer()),
});

/** Files under the names that they will have: below the folder where there is only one, with their folders where not. */
function named(files: readonly File[]): { label: string; members: [Member, File][] } {
  const all = files.map((file) => [pathOf(file), file] as const);
  const top = new Set(all.map(([path]) => (path.includes("/") ? path.split("/")[0]! : "")));
  const [only] = top.size === 1 ? [...top] : [""];
  const members = all.map(([path, file]): [Member, File] => [memberOf(only ? path.slice(only.length + 1) : path, file), file]);
  return { label: [...top].filter(Boolean).slice(0, MOST_FOLDERS).join(", "), members };
}

/** Photos to be sent, and what is not: by name, place and beginning, as the service decides. */
async function sort(found: Chosen, members: readonly Member[]): Promise<void> {
  const names = new Set<string>();
  for (const member of members) {
    const { name, size } = member;
    const why = leftForItsPlace(name);
    if (why) found.left[why] = (found.left[why] ?? 0) + 1;
    if (why !== undefined) continue;
    if (!isTakenByItsName(name) && !isPicture(await begins(member))) found.unread.push(name);
    else if (!size) found.empty.push(name);
    else {
      if (names.has(name)) found.twice = name;
      names.add(name);
      found.photos.push(member);
    }
  }
}

async function leaveRaw(found: Chosen, isHollow: (member: Member) => Promise<boolean>): Promise<void> {
  const memberOf = new Map(found.photos.map((member) => [member.name, member]));
  const raw = await rawBesideJpeg([...memberOf.keys()], (name) => isHollow(memberOf.get(name)!));
  for (const _ of raw) found.left["RAW beside a JPEG"] = (found.left["RAW beside a JPEG"] ?? 0) + 1;
  found.photos = found.photos.filter(({ name }) => !raw.has(name));
  found.count = found.photos.length;
}

/** What is to be sent of these files, and what is not. An archive is a job of its own: it has to be alone. */
export async function chosenOf(files: Iterable<File>): Promise<Chosen> {
  const { label, members } = named([...files]);
  const found: Chosen = { photos: [], archive: undefined, isWhole: false, count: 0, unread: [], left: {}, empty: [], bytes: 0, label, twice: undefined };
  const archives = members.filter(([{ name }]) => ARCHIVES.test(name) && leftForItsPlace(name) === undefined);
  const others = members.filter((one) => !archives.includes(one)).map(([member]) => member);
  await sort(found, others);
  await leaveRaw(found, async (member) => !isPicture(await begins(member)));
  found.bytes = found.photos.reduce((sum, { size }) => sum + size, 0);
  const [first, ...further] = archives;
  if (found.photos.length || further.length || !first) {
    found.unread.push(...archives.map(([{ name }]) => name));
    return found;
  }
  const [, archive] = first;
  Object.assign(found, { archive, bytes: archive.size, label: archive.name.replace(ARCHIVES, "") });
  const inside = await membersOf(archive);
  if (inside) await sort(found, inside);
  // As the service, which does not look into a JPEG to find out whose other half it is.
  if (inside) await leaveRaw(found, async () => false);
  found.isWhole = !inside || !found.photos.every(({ isPlain }) => isPlain) || found.twice !== undefined;
  if (found.isWhole) Object.assign(found, { photos: [], twice: undefined, count: inside && found.count });
  return found;
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
