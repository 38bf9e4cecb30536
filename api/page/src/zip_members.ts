// The files in a zip, from the directory at its end: little is read of it, however large it is.
import { isPlainName, unpacked, type Member } from "./members";

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const HEADER = 0x04034b50;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_BYTES = 20;
const HEADER_BYTES = 30;
const ENTRY_BYTES = 46;
const LONGEST_COMMENT = 0xffff;
/** A directory is not read further; of more, nobody looks at each name. */
const MOST_BYTES = 64 * 2 ** 20;
const ENCRYPTED = 0x1;
const UTF_8 = 0x800;
const FULL_16 = 0xffff;
const FULL_32 = 0xffffffff;
const ZIP_64 = 0x0001;
const UNICODE_PATH = 0x7075;
const [STORED, DEFLATED] = [0, 8];
const UNIX = 3;
const [KIND, REGULAR] = [0xf000, 0x8000];

async function bytesOf(file: Blob, from: number, to: number): Promise<DataView<ArrayBuffer>> {
  return new DataView(await file.slice(from, to).arrayBuffer());
}

const wide = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

/** Where the directory lies, and how far members' offsets are off; undefined where there is none, or it is not whole. */
async function directoryOf(file: Blob): Promise<{ from: number; size: number; shift: number } | undefined> {
  const tailFrom = Math.max(0, file.size - END_BYTES - LONGEST_COMMENT);
  const tail = await bytesOf(file, tailFrom, file.size);
  let at = tail.byteLength - END_BYTES;
  // The last whose comment ends with the file.
  while (at >= 0 && !(tail.getUint32(at, true) === END && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength)) at -= 1;
  if (at < 0 || tail.getUint16(at + 4, true) % FULL_16) return undefined;
  let [entries, size, offset] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  let end = tailFrom + at;
  const locatorAt = end - LOCATOR_BYTES;
  if (locatorAt >= END_64_BYTES) {
    const large = await bytesOf(file, locatorAt - END_64_BYTES, end);
    const isLarge = large.getUint32(END_64_BYTES, true) === LOCATOR_64;
    if (isLarge && large.getUint32(0, true) !== END_64) return undefined;
    if (isLarge) [entries, size, offset, end] = [wide(large, 32), wide(large, 40), wide(large, 48), locatorAt - END_64_BYTES];
    else if (entries === FULL_16 || offset === FULL_32) return undefined;
  }
  // What is before the end record is the directory; there may be something in front of the zip.
  const from = end - size;
  if (size > MOST_BYTES || from < 0 || from < offset) return undefined;
  return { from, size, shift: from - offset };
}

function fieldOf(extra: DataView<ArrayBuffer>, wanted: number): DataView<ArrayBuffer> | undefined {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    const size = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === wanted && at + 4 + size <= extra.byteLength) return new DataView(extra.buffer, extra.byteOffset + at + 4, size);
  }
  return undefined;
}

/** As the service reads it, and whether it is sure to be: an old code page is shown as it comes, for its extension. */
function nameOf(raw: Uint8Array<ArrayBuffer>, flags: number, extra: DataView<ArrayBuffer>): [name: string, isSure: boolean] {
  const field = fieldOf(extra, UNICODE_PATH);
  if (field && field.byteLength > 5 && !(flags & UTF_8) && field.getUint8(0) === 1 && field.getUint32(1, true) === crcOf(raw))
    raw = new Uint8Array(field.buffer, field.byteOffset + 5, field.byteLength - 5);
  try {
    return [new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw), true];
  } catch {
    return [new TextDecoder("windows-1252").decode(raw), false];
  }
}

/** Undefined where that cannot be told here, as of a part of a split zip. */
export async function membersOfZip(file: Blob): Promise<Member[] | undefined> {
  const found = await directoryOf(file);
  if (!found) return undefined;
  const directory = await bytesOf(file, found.from, found.from + found.size);
  const members: Member[] = [];
  for (let place = 0; place < directory.byteLength; ) {
    if (place + ENTRY_BYTES > directory.byteLength || directory.getUint32(place, true) !== ENTRY) return undefined;
    const [host, flags, method, nameBytes, extraBytes, commentBytes] = [4, 8, 10, 28, 30, 32].map((field) => directory.getUint16(place + field, true)) as [number, number, number, number, number, number];
    const [crc, attributes] = [directory.getUint32(place + 16, true), directory.getUint32(place + 38, true)];
    const after = place + ENTRY_BYTES + nameBytes;
    if (after + extraBytes > directory.byteLength) return undefined;
    const raw = new Uint8Array(directory.buffer, place + ENTRY_BYTES, nameBytes);
    const extra = new DataView(directory.buffer, after, extraBytes);
    const large = fieldOf(extra, ZIP_64);
    let taken = 0;
    const numbers = [24, 20, 42].map((field) => {
      const number = directory.getUint32(place + field, true);
      if (number !== FULL_32 || !large || taken + 8 > large.byteLength) return number;
      taken += 8;
      return wide(large, taken - 8);
    }) as [number, number, number];
    const [size, packedBytes, offset] = numbers;
    const [name, isSure] = nameOf(raw, flags, extra);
    const mode = host >> 8 === UNIX ? (attributes >>> 16) & KIND : 0;
    const isPacked = method === DEFLATED;
    const isPlain =
      isSure && isPlainName(name) && !(flags & ENCRYPTED) && (isPacked || (method === STORED && size === packedBytes)) && !numbers.includes(FULL_32) && (mode === 0 || mode === REGULAR);
    const begin = offset + found.shift;
    const read = async (most?: number): Promise<Uint8Array<ArrayBuffer>> => {
      if (!isPlain) throw new TypeError("not read here");
      const head = await bytesOf(file, begin, begin + HEADER_BYTES);
      if (head.getUint32(0, true) !== HEADER) throw new TypeError("not where it should be");
      const data = begin + HEADER_BYTES + head.getUint16(26, true) + head.getUint16(28, true);
      const packed = file.slice(data, data + packedBytes);
      const whole = isPacked ? unpacked(packed, "deflate-raw", size) : packed.stream();
      if (most !== undefined && most < size) return begins(whole, most);
      const bytes = new Uint8Array(await new Response(whole).arrayBuffer());
      if (bytes.length !== size || crcOf(bytes) !== crc) throw new TypeError("damaged");
      return bytes;
    };
    if (!name.endsWith("/")) members.push({ name, size, isPlain, read });
    place = after + extraBytes + commentBytes;
  }
  return members;
}

async function begins(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(most);
  const reader = stream.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    found.set(value.subarray(0, most - at), at);
    at += Math.min(value.length, most - at);
    if (at === most) break;
  }
  void reader.cancel().catch(() => undefined);
  return found.subarray(0, at);
}

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as zip has it; the browser unpacks, but does not check. */
function crcOf(bytes: Uint8Array): number {
  let crc = FULL_32;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRCS[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}
