// Files that somebody chose or dropped, by the names they will have in the job.

import { namesInZip } from "./zip_names";

/** As docs/limits.md; the service looks at the bytes, and what is told here is only for a person to see in time. */
const READ = new Set(
  ("jpg jpeg jpe jfif png webp tif tiff bmp gif heic heif hif avif jxl" +
    " cr2 cr3 nef nrw arw srf sr2 raf rw2 orf dng pef srw rwl 3fr iiq").split(" "),
);

const ARCHIVES = /\.(zip|tar|tar\.gz|tgz)$/i;

export interface Chosen {
  photos: { name: string; file: File }[];
  /** Sent whole, and unpacked by a worker; then there are no photos beside it. */
  archive: File | undefined;
  /** How many photos there are; undefined where only the service can tell. */
  count: number | undefined;
  /** Of no kind that is read; in a zip as well. */
  unread: string[];
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

type Kind = "photo" | "archive" | "other" | "hidden";

function kindOf(name: string): Kind {
  // What a system leaves beside photos is nothing anybody chose.
  if (name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX")) return "hidden";
  if (ARCHIVES.test(name)) return "archive";
  return READ.has(name.split(".").at(-1)!.toLowerCase()) ? "photo" : "other";
}

/** What is to be sent of these files, and what is not. An archive is a job of its own: it has to be alone. */
export async function chosenOf(files: Iterable<File>): Promise<Chosen> {
  const found: Chosen = { photos: [], archive: undefined, count: 0, unread: [], empty: [], bytes: 0, label: "", twice: undefined };
  const names = new Set<string>();
  const archives: File[] = [];
  for (const file of files) {
    const [first, ...below] = pathOf(file).split("/");
    const name = below.length ? below.join("/") : first!;
    const kind = kindOf(name);
    if (below.length) found.label = first!;
    if (kind === "hidden") continue;
    if (kind === "other") found.unread.push(name);
    else if (!file.size) found.empty.push(name);
    else if (kind === "archive") archives.push(file);
    else {
      if (names.has(name)) found.twice = name;
      names.add(name);
      found.photos.push({ name, file });
      found.bytes += file.size;
    }
  }
  const [archive, ...others] = archives;
  if (found.photos.length || others.length || !archive) {
    found.unread.push(...archives.map(pathOf));
    return { ...found, count: found.photos.length };
  }
  const inside = /\.zip$/i.test(archive.name) ? await namesInZip(archive) : undefined;
  return {
    ...found,
    archive,
    bytes: archive.size,
    label: archive.name.replace(ARCHIVES, ""),
    count: inside?.filter((name) => kindOf(name) === "photo").length,
    unread: [...found.unread, ...(inside ?? []).filter((name) => ["other", "archive"].includes(kindOf(name)))],
  };
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
