// Files that somebody chose or dropped, by the names they will have in the job.

/** As docs/limits.md; the service looks at the bytes, and what is told here is only for a person to see in time. */
const READ = new Set(
  ("jpg jpeg jpe jfif png webp tif tiff bmp gif heic heif hif avif jxl" +
    " cr2 cr3 nef nrw arw srf sr2 raf rw2 orf dng pef srw rwl 3fr iiq").split(" "),
);

export interface Chosen {
  photos: { name: string; file: File }[];
  unread: string[];
  bytes: number;
  /** The folder's name, where one was chosen. */
  label: string;
  /** A name that two have. */
  twice: string | undefined;
}

/** The path below the folder that was dropped; a browser sets it on files of `<input webkitdirectory>` alone. */
const paths = new WeakMap<File, string>();

const pathOf = (file: File): string => paths.get(file) ?? (file.webkitRelativePath || file.name);

export function chosenOf(files: Iterable<File>): Chosen {
  const found: Chosen = { photos: [], unread: [], bytes: 0, label: "", twice: undefined };
  const names = new Set<string>();
  for (const file of files) {
    const [first, ...below] = pathOf(file).split("/");
    const name = below.length ? below.join("/") : first!;
    if (below.length) found.label = first!;
    const extension = name.split(".").at(-1)!.toLowerCase();
    const isHidden = name.split("/").some((part) => part.startsWith("."));
    if (isHidden || !READ.has(extension)) {
      if (!isHidden) found.unread.push(name);
      continue;
    }
    if (names.has(name)) found.twice = name;
    names.add(name);
    found.photos.push({ name, file });
    found.bytes += file.size;
  }
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
