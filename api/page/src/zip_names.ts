// The names in a zip, from the directory at its end: little is read of it, however large it is.

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
/** A directory is not read further; of more, nobody looks at each name. */
const MOST_BYTES = 64 * 2 ** 20;
const UTF8_FLAG = 0x800;

async function bytesOf(file: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

/** Names of its files; undefined where that cannot be told here, as of a zip of more than 65,535 files, or of none. */
export async function namesInZip(file: Blob): Promise<string[] | undefined> {
  const tailFrom = Math.max(0, file.size - END_BYTES - LONGEST_COMMENT);
  const tail = await bytesOf(file, tailFrom, file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) return undefined;
  const [entries, size, from] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  // What is before the end record is the directory, wherever it says that it begins.
  const begins = tailFrom + at - size;
  if (entries === 0xffff || from === 0xffffffff || size > MOST_BYTES || begins < 0) return undefined;
  const directory = await bytesOf(file, begins, begins + size);
  const names: string[] = [];
  for (let entry = 0, place = 0; entry < entries; entry += 1) {
    if (place + 46 > directory.byteLength || directory.getUint32(place, true) !== ENTRY) return undefined;
    const [flags, long, extra, comment] = [8, 28, 30, 32].map((field) => directory.getUint16(place + field, true)) as [number, number, number, number];
    if (place + 46 + long > directory.byteLength) return undefined;
    const name = new Uint8Array(directory.buffer, place + 46, long);
    // Of another encoding the letters are shown as they come; only the extension decides here.
    const text = new TextDecoder(flags & UTF8_FLAG ? "utf-8" : "windows-1252").decode(name);
    if (!text.endsWith("/")) names.push(text);
    place += 46 + long + extra + comment;
  }
  return names;
}
