// Made by docs/page_built.py from nightshift/words/error_codes.py: meaning, and what to do.
export type Code = "quota_exceeded" | "too_many_failures" | "deadline_passed" | "expired" | "digest_mismatch" | "file_too_large" | "not_sent" | "unsupported_archive" | "unreadable_archive" | "archive_limit" | "archive_damaged" | "archive_member_damaged" | "archive_member_unsafe" | "archive_encrypted" | "archive_nested" | "duplicate_custom_id" | "unsupported_format" | "decoder_not_installed" | "corrupt_image" | "too_many_pixels" | "too_much_memory" | "file_unavailable" | "out_of_memory" | "timeout" | "worker_lost" | "internal";

export const codes: Record<Code, readonly [string, string]> = {
  quota_exceeded: ["The owner holds as many photos, bytes or jobs as an owner may.", "Erase jobs; the message names the numbers and the setting."],
  too_many_failures: ["More of the job's photos failed than its `max_failure_rate` allows.", "Look at why they failed; `nightshift retry JOB` goes on with it."],
  deadline_passed: ["The job's `deadline` came before its end: what was not done is cancelled, what was done is kept.", "`nightshift retry JOB` does the rest."],
  expired: ["The job was never submitted, and not given photos for `NIGHTSHIFT_OPEN_TTL_DAYS`.", "`nightshift retry JOB` queues what it had."],
  digest_mismatch: ["The bytes are not those whose digest was promised, or that were stored.", "Send the photo again; if the store changed it, look at its disk."],
  file_too_large: ["A photo has more bytes than one may.", "Make it smaller; the limit is `NIGHTSHIFT_MAX_PHOTO_BYTES`."],
  not_sent: ["Whoever made the job could not send the photo; the message says why.", "Look at the file, then send it in a job of its own."],
  unsupported_archive: ["The file is not an archive of a kind that is read.", "The message names what it is and what to do: unpack it, join its parts, or send a zip, tar or tar.gz."],
  unreadable_archive: ["The archive is damaged, cut off, or lies about itself.", "Pack it, or send it, again."],
  archive_limit: ["The archive has more members, bytes, or gain by packing than one may.", "The message names the limit; it is a setting."],
  archive_damaged: ["The archive is damaged from some member on; what was before it has been analysed.", "Pack it, or send it, again."],
  archive_member_damaged: ["A member of the archive is damaged, cut off, or lies about itself.", "Send the photo again."],
  archive_member_unsafe: ["A member is a link, or its name leads out of the archive.", "Pack plain files with plain names."],
  archive_encrypted: ["A member is encrypted.", "Pack it without a password."],
  archive_nested: ["A member is an archive itself.", "Unpack it first, or send it as a job of its own."],
  duplicate_custom_id: ["Other bytes came under a name that the job has already; the row has it with `~` and a number.", "Give each photo a name of its own."],
  unsupported_format: ["The file is empty, no photo, or of a kind that is not read; the message says which.", "Send it as JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC, AVIF, JPEG XL or a camera's raw file."],
  decoder_not_installed: ["The photo is a camera's raw file, or a JPEG XL, and the worker lacks the package that decodes these.", "Install there what the message names; then `nightshift retry JOB --code decoder_not_installed`."],
  corrupt_image: ["The photo is damaged or cut off.", "Send a whole copy."],
  too_many_pixels: ["The photo has more pixels than one may.", "Make it smaller; the limit is `NIGHTSHIFT_MAX_PHOTO_MEGAPIXELS`."],
  too_much_memory: ["Decoding the photo would take more memory than it may.", "Make it smaller, or raise `NIGHTSHIFT_MAX_PHOTO_MEMORY` where the machine has more."],
  file_unavailable: ["The photo's bytes could not be read: it was moved, or may not be read, or the store lost it.", "Put it back, then `nightshift retry JOB --code file_unavailable`."],
  out_of_memory: ["There was not enough memory, for this photo or for the command.", "Fewer workers (`NIGHTSHIFT_WORKERS`), or a smaller `NIGHTSHIFT_MAX_PIXELS_IN_FLIGHT`."],
  timeout: ["The photo made no progress for `NIGHTSHIFT_PHOTO_TIMEOUT_S`, or kept LibRaw or libjxl busy half of it.", "Look at the photo; or raise it, and `NIGHTSHIFT_LEASE_S` with it."],
  worker_lost: ["Its worker died as often as `NIGHTSHIFT_MAX_CRASHES` allows, the last time with nothing else in hand.", "Look at the photo, and at the machine's memory."],
  internal: ["A fault of Nightshift's own.", "The log of the API, or of the worker, says where; please report it."],
};

/** Of these the same bytes fail again. */
export const lasting: ReadonlySet<string> = new Set(["quota_exceeded", "file_too_large", "not_sent", "unsupported_archive", "unreadable_archive", "archive_limit", "archive_damaged", "archive_member_damaged", "archive_member_unsafe", "archive_encrypted", "archive_nested", "duplicate_custom_id", "unsupported_format", "corrupt_image", "too_many_pixels", "too_much_memory"]);
