// What lies in an archive, read here: its photos are sent one by one, as those of a folder are. Whatever is not plain
// in it (encrypted, packed otherwise, names of an old code page, links) is for the service, which is sent all of it.
import { membersOfTar } from "./tar_members";
import { membersOfZip } from "./zip_members";

export interface Member {
  name: string;
  size: number;
  /** Whether what `read` gives is sure to be what the service would read. */
  isPlain: boolean;
  /** Its first `most` bytes, or all. Throws where they cannot be had, or are not those that were put in. */
  read: (most?: number) => Promise<Uint8Array<ArrayBuffer>>;
}

export const ARCHIVES = /\.(zip|tar|tar\.gz|tgz)$/i;
const GZIP = /\.(tar\.gz|tgz)$/i;

/** A tar.gz is unpacked at once, to the browser's own place on the disk; a larger one is left to the service. */
const MOST_UNPACKED = 4 * 2 ** 30;
const MOST_PACKED = 2 ** 30;

/** Its files, however many; undefined where it cannot be read here. */
export async function membersOf(archive: File): Promise<Member[] | undefined> {
  try {
    if (/\.zip$/i.test(archive.name)) return await membersOfZip(archive);
    if (!GZIP.test(archive.name)) return await membersOfTar(archive);
    if (archive.size > MOST_PACKED) return undefined;
    return await membersOfTar(await new Response(unpacked(archive, "gzip", MOST_UNPACKED)).blob());
  } catch {
    return undefined; // The service says what is wrong with it.
  }
}

/** What comes out, which may not be more than `most` bytes. */
export function unpacked(packed: Blob, format: CompressionFormat, most: number): ReadableStream<Uint8Array> {
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, out) {
      bytes += chunk.byteLength;
      if (bytes > most) throw new RangeError("more comes out of it than it says");
      out.enqueue(chunk);
    },
  });
  return packed.stream().pipeThrough(new DecompressionStream(format)).pipeThrough(counted);
}

const DRIVE = /^[A-Za-z]:[\\/]/;

/** Whether it is a path below, as every system has it. */
export const isPlainName = (name: string): boolean =>
  name !== "" && name.length < 1024 && !/[\\\0]/.test(name) && !name.startsWith("/") && !DRIVE.test(name) && !name.split("/").includes("..");
