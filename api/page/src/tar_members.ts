// The files in a tar, header by header: what lies between is passed over.
import { isPlainName, type Member } from "./members";

const BLOCK = 512;
/** Read at once: small files lie close together. */
const AHEAD = 64 * 1024;
const LONGEST_HEADER = 2 ** 20;

/** Undefined where it cannot be read here to its end. */
export async function membersOfTar(file: Blob): Promise<Member[] | undefined> {
  let [ahead, aheadAt] = [new Uint8Array(), 0];
  const bytesAt = async (at: number, size: number): Promise<Uint8Array> => {
    if (at < aheadAt || at + size > aheadAt + ahead.length) {
      ahead = new Uint8Array(await file.slice(at, at + Math.max(size, AHEAD)).arrayBuffer());
      aheadAt = at;
    }
    return ahead.subarray(at - aheadAt, at - aheadAt + size);
  };
  const members: Member[] = [];
  const forAll = new Map<string, string>();
  let own = new Map<string, string>();
  for (let at = 0; ; ) {
    const block = await bytesAt(at, BLOCK);
    if (block.every((byte) => byte === 0)) return own.size || (!members.length && at === 0 && !block.length) ? undefined : members;
    if (block.length < BLOCK || !isHeader(block)) return undefined;
    const kind = String.fromCharCode(block[156]!);
    let size = numberIn(block, 124, 12);
    at += BLOCK;
    if (size === undefined) return undefined;
    if ("xgLK".includes(kind)) {
      if (size > LONGEST_HEADER) return undefined;
      const content = await bytesAt(at, size);
      if (content.length < size) return undefined;
      const records = kind === "L" ? new Map([["path", upToNul(content)]]) : kind === "K" ? new Map() : recordsOf(content);
      if (!records) return undefined;
      const into = kind === "g" ? forAll : own;
      // The first of several counts, as of GNU's own.
      for (const [key, value] of records) if (kind !== "L" || !into.has(key)) into.set(key, value);
    } else {
      const said = new Map([...forAll, ...own].filter(([, value]) => value));
      const name = said.get("path") ?? nameIn(block);
      if (said.has("size")) size = Number(said.get("size"));
      if (!Number.isSafeInteger(size) || size < 0) return undefined;
      const isFile = "0\0".includes(kind) && ![...said.keys()].some((key) => key.startsWith("GNU.sparse."));
      // Links and folders have no bytes, whatever they say; of other kinds only the service knows.
      if (!isFile && !"5126".includes(kind)) return undefined;
      if (!isFile) size = 0;
      if (at + size > file.size) return undefined;
      const isPlain = isFile && !name.includes("\ufffd") && isPlainName(name);
      const data = file.slice(at, at + size);
      const read = async (most = size): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await data.slice(0, most).arrayBuffer());
      if (kind !== "5" && !name.endsWith("/")) members.push({ name, size, isPlain, read });
      own = new Map();
    }
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
}

function isHeader(block: Uint8Array): boolean {
  const said = numberIn(block, 148, 8);
  const sum = block.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
  return said === sum;
}

/** Octal digits, or, behind a set bit, a large number. */
function numberIn(block: Uint8Array, at: number, length: number): number | undefined {
  if (block[at] === 0x80) return block.subarray(at + 1, at + length).reduce((all, byte) => all * 256 + byte, 0);
  const digits = upToNul(block.subarray(at, at + length)).trim();
  return /^[0-7]*$/.test(digits) ? parseInt(digits || "0", 8) : undefined;
}

function upToNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function nameIn(block: Uint8Array): string {
  const name = upToNul(block.subarray(0, 100));
  const isPosix = upToNul(block.subarray(257, 263)) === "ustar" && block[262] === 0;
  const prefix = isPosix ? upToNul(block.subarray(345, 500)) : "";
  return prefix ? `${prefix}/${name}` : name;
}

/** `LENGTH KEY=VALUE` and a line feed, each. */
function recordsOf(content: Uint8Array): Map<string, string> | undefined {
  const found = new Map<string, string>();
  for (let at = 0; at < content.length && content[at]; ) {
    const space = content.indexOf(32, at);
    const length = Number(new TextDecoder().decode(content.subarray(at, space)));
    if (space < 0 || !Number.isInteger(length) || at + length <= space || content[at + length - 1] !== 10) return undefined;
    const record = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    if (equals < 0) return undefined;
    found.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return found;
}
