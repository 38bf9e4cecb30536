"""Every error code there is. The API's statuses and schema and docs/errors.md are made from it."""

from __future__ import annotations

from nightshift.words.errors import AnyCode, Fails, Fault

CLIENT, PHOTO, OPERATOR, SERVICE = Fault
FAILS, FAILS_FOR_NOW, ENDS_JOB = Fails.PHOTO, Fails.PHOTO_FOR_NOW, Fails.JOB


class Code(AnyCode):
    """The codes of the service, the client and the command."""

    # What the server makes of a request before it looks at what is wanted.
    BAD_REQUEST = "bad_request", CLIENT, 400
    """The request's head is not HTTP, or names an invalid host.
    Look at what the client, or a proxy before the service, sends."""
    NOT_FOUND = "not_found", CLIENT, 404
    """There is nothing at this path.
    `/docs` lists the paths there are."""
    METHOD_NOT_ALLOWED = "method_not_allowed", CLIENT, 405
    """The path is right, but not for this method.
    The header `Allow` names those that it has."""
    REQUESTED_RANGE_NOT_SATISFIABLE = "requested_range_not_satisfiable", CLIENT, 416
    """The header `Range` asks for bytes behind the end of one of the documentation's files.
    Leave it out; `Content-Range` has the file's length."""
    URI_TOO_LONG = "uri_too_long", CLIENT, 414
    """The request line, with the path and the query, has over 8190 bytes.
    Shorten the query."""
    HEAD_TOO_LARGE = "head_too_large", CLIENT, 431
    """The head has over 64 kB, over 100 headers, or a line of over 8190 bytes.
    Send fewer headers, or shorter ones."""
    EXPECTATION_FAILED = "expectation_failed", CLIENT, 417
    """The header `Expect` asks for something else than `100-continue`.
    Leave it out."""
    UNSUPPORTED_TRANSFER_CODING = "unsupported_transfer_coding", CLIENT, 501
    """The body comes in a transfer coding other than `chunked`.
    Send it as it is, or chunked."""
    FORBIDDEN = "forbidden", CLIENT, 403
    """A line of the PROXY protocol came where none is expected.
    Have the proxy speak plain HTTP to the service."""
    HEAD_TOO_SLOW = "head_too_slow", CLIENT, 408
    """The head of the request took over 10 seconds.
    The client, or the line, was too slow; the API's log has `cut off` with the address."""
    BODY_TOO_SLOW = "body_too_slow", CLIENT, 408
    """The body of the request fell `NIGHTSHIFT_CLIENT_TIMEOUT_S` behind 1 kB a second.
    The client, or the line, was too slow; the API's log has `cut off` with the address."""
    BODY_CUT_OFF = "body_cut_off", CLIENT, 400
    """The connection broke, or the body was shorter than its head said.
    Send it again."""
    BUSY = "busy", SERVICE, 503
    """No thread or place was free for 30 seconds.
    Try again; where it stays so, `/readyz` tells whether the store or the database hangs."""
    DRAWING_BUSY = "drawing_busy", SERVICE, 503
    """As many photos are being drawn as may be at once, and others wait.
    Ask again after `Retry-After`."""
    DRAWING_NOT_INSTALLED = "drawing_not_installed", OPERATOR, 409
    """Photos are drawn by what workers decode with, which is not installed where the API runs.
    Install the extra `worker` there, or use the previews."""
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", CLIENT, 415
    """The body is not of the type that is expected here.
    The message names the right one."""
    PRECONDITION_FAILED = "precondition_failed", CLIENT, 412
    """The job, or the receiver, was changed since it had the `ETag` that `If-Match` names.
    Look at it again, and decide anew."""
    NOT_ACCEPTABLE = "not_acceptable", CLIENT, 406
    """Results do not come in the form that `Accept` asks for.
    Ask for one of those in the message."""
    BODY_TOO_LARGE = "body_too_large", CLIENT, 413
    """A JSON body is larger than any that makes sense.
    Send less in one request."""
    BAD_JSON = "bad_json", CLIENT, 400
    """The body is not JSON, not UTF-8, or has one key twice.
    The message says where."""
    BAD_MULTIPART = "bad_multipart", CLIENT, 400
    """The form cannot be read.
    Have a library write it; the message says what is wrong."""
    NOT_UTF8 = "not_utf8", CLIENT, 400
    """A query, a header or a name is not UTF-8.
    Encode it as UTF-8, and percent-encode it in a query."""
    INVALID_FIELDS = "invalid_fields", CLIENT, 422
    """A field, or a parameter, has an invalid value.
    `errors` names each of them, and what is wrong with it."""
    UNKNOWN_FIELD = "unknown_field", CLIENT, 422
    """A form brings files under a name that is not known.
    Files come as `photos` or `archive`."""
    UNKNOWN_PARAMETER = "unknown_parameter", CLIENT, 422
    """The query has a parameter that is not known, likely misspelt.
    `known` lists those there are."""
    REPEATED_PARAMETER = "repeated_parameter", CLIENT, 422
    """The query has a parameter more than once.
    Give it once."""
    BAD_CURSOR = "bad_cursor", CLIENT, 422
    """The cursor is not one that this list has given out.
    Take `next` of the page before as it is, or begin without."""
    TOO_MANY_FIELDS = "too_many_fields", CLIENT, 413
    """A form has more fields than a job has.
    Send photos as files, and each field once."""
    FIELD_TOO_LARGE = "field_too_large", CLIENT, 413
    """A field of a form is larger than any that makes sense.
    Send photos as files, that is with a file name."""

    # Who may.
    UNAUTHORIZED = "unauthorized", CLIENT, 401
    """There is no key with the request, or it is wrong or was revoked: the message says which.
    The command finds `api_key` in its own home: has the server the same one? Else give it `--api-key`."""
    KEY_EXPIRED = "key_expired", CLIENT, 401
    """The key's time is over.
    Have another made: `nightshift keys create`."""
    SESSION_ENDED = "session_ended", CLIENT, 401
    """The page's sign-in is over: its time is, its key was revoked, or the root key was changed.
    Sign in again."""
    SIGN_IN_LINK_USED = "sign_in_link_used", CLIENT, 401
    """The link that `nightshift serve` printed was used before, is over an hour old, or of an earlier start.
    Sign in with a key, or start `nightshift serve` again: it prints a new one."""
    PROVIDER_UNAVAILABLE = "provider_unavailable", SERVICE, 503
    """The provider that people sign in with does not answer, or not as such a provider does.
    Try again, or sign in with a key; the API's log says what was wrong."""
    SIGN_IN_BROKEN_OFF = "sign_in_broken_off", CLIENT, 401
    """The sign-in with the provider was broken off, took over ten minutes, or its answer is not for us.
    Begin again from the page; the API's log says what was wrong."""
    NOT_LET_IN = "not_let_in", CLIENT, 403
    """The provider knows this person, and none of their groups is let in here.
    Ask whoever runs the service: `NIGHTSHIFT_OIDC_GRANTS` says which are."""
    SCOPE_MISSING = "scope_missing", CLIENT, 403
    """The key lacks the scope that this needs, named in `scope`.
    Have a key made that has it: `nightshift keys create --scope`."""
    IN_PLACE_FORBIDDEN = "in_place_forbidden", CLIENT, 403
    """The file may not be registered in place.
    It must lie under `NIGHTSHIFT_IN_PLACE_ROOTS` (`serve --in-place`), the key have the scope `in_place`."""
    PRIORITY_FORBIDDEN = "priority_forbidden", CLIENT, 403
    """A priority above 0 is for keys with the scope `admin`.
    Leave it out, or use such a key."""
    WEBHOOK_SECRET_MISSING = "webhook_secret_missing", CLIENT, 409
    """Word is to be sent by webhook, and there is no secret yet to sign it with.
    Have one made: `POST /v1/webhooks/secrets`, with the scope `admin`."""
    WEBHOOK_ADDRESS_FORBIDDEN = "webhook_address_forbidden", CLIENT, 422
    """The URL of a webhook, or of a message, names an address that is not of the public internet.
    Name another, or have the operator allow it by `NIGHTSHIFT_WEBHOOK_ALLOW_CIDRS`."""
    NOTIFY_SCHEME_UNKNOWN = "notify_scheme_unknown", CLIENT, 422
    """The URL for word of a job begins with a scheme by which nothing is sent.
    Begin it with `https://` for a webhook, or with one of those that the message names."""
    NOTIFY_URL_MALFORMED = "notify_url_malformed", CLIENT, 422
    """The URL of a message lacks a part, or has one that its service does not know, or does without TLS.
    Give it whole, as Apprise's page of that service shows it; `mailtos://***` is only how it is shown."""
    MESSAGES_NOT_INSTALLED = "messages_not_installed", OPERATOR, 409
    """Messages to people are sent by Apprise, which the service lacks.
    Install the extra `notify` where the API and the sweeper run, or give a webhook's URL."""
    RECEIVER_EXISTS = "receiver_exists", CLIENT, 409
    """Another receiver of all jobs has this URL already.
    Change that one, or remove it first."""
    RECEIVER_NOT_FOUND = "receiver_not_found", CLIENT, 404
    """No such receiver, or it is of another owner, or was removed.
    `nightshift webhooks list`, or `GET /v1/webhooks`, lists those there are."""
    TOO_MANY_RECEIVERS = "too_many_receivers", CLIENT, 409
    """There are as many receivers of all jobs as there may be.
    Remove one, or name the receiver with the jobs that it is for."""
    DELIVERY_NOT_FOUND = "delivery_not_found", CLIENT, 404
    """No such delivery, or it is of another owner, or went with its job.
    `GET /v1/webhooks/deliveries` lists those there are."""
    FOREIGN_ORIGIN = "foreign_origin", CLIENT, 403
    """The request was made by a page of another site.
    Set `NIGHTSHIFT_PUBLIC_URL` to the address that browsers use, or have the proxy pass on `Host`."""
    HOST_FORBIDDEN = "host_forbidden", CLIENT, 403
    """Without a key, a service on loopback answers to no other name than localhost.
    Bring a key, or call it `localhost`."""
    RATE_LIMITED = "rate_limited", CLIENT, 429
    """This key has made too many requests, or this address tried too many wrong keys.
    Wait for as long as `Retry-After` says; the limit of a key is `NIGHTSHIFT_RATE_LIMIT`."""
    MODEL_NOT_FOUND = "model_not_found", CLIENT, 404
    """There are no weights of this name in the service's folder, nor in use.
    `GET /v1/models`, or `nightshift models list`, names those there are."""
    MODEL_AMBIGUOUS = "model_ambiguous", CLIENT, 409
    """Two bundles have this name: one in the weights' folder, and the one in use, which lies elsewhere.
    Ask again with `in_use=true`, or `in_use=false`."""
    KEY_NOT_FOUND = "key_not_found", CLIENT, 404
    """There is no such key.
    `nightshift keys list` has the ids."""

    # Jobs and what they hold.
    JOB_NOT_FOUND = "job_not_found", CLIENT, 404
    """There is no such job, or it is another owner's, or erased.
    `nightshift status` lists yours."""
    PHOTO_NOT_FOUND = "photo_not_found", CLIENT, 404
    """The job has no such photo.
    `/v1/jobs/ID/photos` lists them."""
    THUMBNAIL_NOT_FOUND = "thumbnail_not_found", CLIENT, 404
    """The photo has no small picture: it could not be decoded, or was not yet.
    Ask again once it has succeeded."""
    JOB_SEALED = "job_sealed", CLIENT, 409
    """The job was submitted, or has ended, and takes no more photos.
    Open another job for them."""
    ILLEGAL_MOVE = "illegal_move", CLIENT, 409
    """The job's state, named in `state`, does not allow this.
    Look at the job; docs/architecture.md has the table of moves."""
    EMPTY_JOB = "empty_job", CLIENT, 422
    """A job without photos cannot be submitted.
    Add photos first."""
    NOTHING_TO_RETRY = "nothing_to_retry", CLIENT, 409
    """None of the job's photos failed with such a code, or their bytes were not kept.
    Uploads that are no pictures are not: send them again."""
    ORIGINALS_DELETED = "originals_deleted", CLIENT, 409
    """The job deleted its uploads when it ended, as its option `delete_originals` asked.
    Send them again as a new job."""
    TOO_MANY_JOBS = "too_many_jobs", CLIENT, 429
    """The owner has as many jobs that have not ended as an owner may.
    Wait for some to end; the limit is `NIGHTSHIFT_MAX_OWNER_JOBS`."""
    QUOTA_EXCEEDED = "quota_exceeded", CLIENT, 507, FAILS
    """The owner holds as many photos, bytes or jobs as an owner may.
    Erase jobs; the message names the numbers and the setting."""
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use", CLIENT, 409
    """The same request is under way still, or its server was killed.
    Send it again a little later: the key is free again after a lease (`NIGHTSHIFT_LEASE_S`)."""
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", CLIENT, 422
    """The key came before, with another request.
    Take a new one for each request."""
    TOO_MANY_FAILURES = "too_many_failures", PHOTO, None, ENDS_JOB
    """More of the job's photos failed than its `max_failure_rate` allows.
    Look at why they failed; `nightshift retry JOB` goes on with it."""
    DEADLINE_PASSED = "deadline_passed", CLIENT, None, FAILS_FOR_NOW | ENDS_JOB
    """The job's `deadline` came before its end: what was not done is cancelled, what was done is kept.
    `nightshift retry JOB` does the rest."""
    EXPIRED = "expired", CLIENT, None, FAILS_FOR_NOW | ENDS_JOB
    """The job was never submitted, and not given photos for `NIGHTSHIFT_OPEN_TTL_DAYS`.
    `nightshift retry JOB` queues what it had."""

    # Photos and archives that are sent.
    EMPTY_UPLOAD = "empty_upload", CLIENT, 422
    """The request brings no photos, or an archive that holds none.
    Look at what was sent."""
    MIXED_UPLOAD = "mixed_upload", CLIENT, 422
    """The form brings photos and an archive, or two archives.
    A job takes photos, or one archive."""
    UPLOAD_TOO_LARGE = "upload_too_large", CLIENT, 413
    """The request has more bytes than one may.
    Send less at a time; the limit is `NIGHTSHIFT_MAX_UPLOAD_BYTES`."""
    TOO_MANY_PHOTOS = "too_many_photos", CLIENT, 413
    """The request brings more photos than one may.
    Send fewer, or an archive; the limit is `NIGHTSHIFT_MAX_UPLOAD_PHOTOS`."""
    BAD_CUSTOM_ID = "bad_custom_id", CLIENT, 422
    """A photo's name is missing, too long, or no text.
    It has 1 to 1024 characters, 2,500 bytes of UTF-8 at most, and no NUL."""
    CUSTOM_ID_TAKEN = "custom_id_taken", CLIENT, 409
    """The job has other bytes under this name.
    Send them under another one."""
    BAD_DIGEST = "bad_digest", CLIENT, 400
    """The header `Content-Digest` cannot be read.
    It reads `sha-256=:<base64 of 32 bytes>:`."""
    BAD_PATH = "bad_path", CLIENT, 422
    """A path cannot be one, or that of a photo in place is not absolute.
    Give text or a `Path`; of a photo in place absolute, as a `file:` URL where it is not UTF-8."""
    DIGEST_MISMATCH = "digest_mismatch", SERVICE, 400, FAILS_FOR_NOW
    """The bytes are not those whose digest was promised, or that were stored.
    Send the photo again; if the store changed it, look at its disk."""
    FILE_TOO_LARGE = "file_too_large", PHOTO, 413, FAILS
    """A photo has more bytes than one may.
    Make it smaller; the limit is `NIGHTSHIFT_MAX_PHOTO_BYTES`."""
    NOT_SENT = "not_sent", CLIENT, None, FAILS
    """Whoever made the job could not send the photo; the message says why.
    Look at the file, then send it in a job of its own."""
    UNSUPPORTED_ARCHIVE = "unsupported_archive", CLIENT, 415, FAILS
    """The file is not an archive of a kind that is read.
    The message names what it is and what to do: unpack it, join its parts, or send a zip, tar or tar.gz."""
    UNREADABLE_ARCHIVE = "unreadable_archive", CLIENT, 422, FAILS
    """The archive is damaged, cut off, or lies about itself.
    Pack it, or send it, again."""
    ARCHIVE_LIMIT = "archive_limit", CLIENT, 422, FAILS
    """The archive has more members, bytes, or gain by packing than one may.
    The message names the limit; it is a setting."""
    ARCHIVE_DAMAGED = "archive_damaged", PHOTO, None, FAILS
    """The archive is damaged from some member on; what was before it has been analysed.
    Pack it, or send it, again."""
    ARCHIVE_MEMBER_DAMAGED = "archive_member_damaged", PHOTO, None, FAILS
    """A member of the archive is damaged, cut off, or lies about itself.
    Send the photo again."""
    ARCHIVE_MEMBER_UNSAFE = "archive_member_unsafe", PHOTO, None, FAILS
    """A member is a link, or its name leads out of the archive.
    Pack plain files with plain names."""
    ARCHIVE_ENCRYPTED = "archive_encrypted", PHOTO, None, FAILS
    """A member is encrypted.
    Pack it without a password."""
    ARCHIVE_NESTED = "archive_nested", PHOTO, None, FAILS
    """A member is an archive itself.
    Unpack it first, or send it as a job of its own."""
    DUPLICATE_CUSTOM_ID = "duplicate_custom_id", CLIENT, None, FAILS
    """Other bytes came under a name that the job has already; the row has it with `~` and a number.
    Give each photo a name of its own."""

    # Photos that are analysed.
    UNSUPPORTED_FORMAT = "unsupported_format", PHOTO, 422, FAILS
    """The file is empty, no photo, or of a kind that is not read; the message says which.
    Send it as JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC, AVIF, JPEG XL or a camera's raw file."""
    DECODER_NOT_INSTALLED = "decoder_not_installed", OPERATOR, 422, FAILS_FOR_NOW
    """The photo is a camera's raw file, or a JPEG XL, and the worker lacks the package that decodes these.
    Install there what the message names; then `nightshift retry JOB --code decoder_not_installed`."""
    CORRUPT_IMAGE = "corrupt_image", PHOTO, 422, FAILS
    """The photo is damaged or cut off.
    Send a whole copy."""
    TOO_MANY_PIXELS = "too_many_pixels", PHOTO, 422, FAILS
    """The photo has more pixels than one may.
    Make it smaller; the limit is `NIGHTSHIFT_MAX_PHOTO_MEGAPIXELS`."""
    TOO_MUCH_MEMORY = "too_much_memory", PHOTO, 422, FAILS
    """Decoding the photo would take more memory than it may.
    Make it smaller, or raise `NIGHTSHIFT_MAX_PHOTO_MEMORY` where the machine has more."""
    FILE_UNAVAILABLE = "file_unavailable", CLIENT, 404, FAILS_FOR_NOW
    """The photo's bytes could not be read: it was moved, or may not be read, or the store lost it.
    Put it back, then `nightshift retry JOB --code file_unavailable`."""
    FILE_READ_ERROR = "file_read_error", OPERATOR
    """A file could not be read this time; a photo that stays so fails as `file_unavailable`.
    Look at the disk, or the share, that it is on."""
    OUT_OF_MEMORY = "out_of_memory", OPERATOR, 503, FAILS_FOR_NOW
    """There was not enough memory, for this photo or for the command.
    Fewer workers (`NIGHTSHIFT_WORKERS`), or a smaller `NIGHTSHIFT_MAX_PIXELS_IN_FLIGHT`."""
    TIMEOUT = "timeout", PHOTO, 422, FAILS_FOR_NOW
    """The photo made no progress for `NIGHTSHIFT_PHOTO_TIMEOUT_S`, or kept LibRaw or libjxl busy half of it.
    Look at the photo; or raise it, and `NIGHTSHIFT_LEASE_S` with it."""
    WORKER_LOST = "worker_lost", PHOTO, None, FAILS_FOR_NOW
    """Its worker died as often as `NIGHTSHIFT_MAX_CRASHES` allows, the last time with nothing else in hand.
    Look at the photo, and at the machine's memory."""
    INTERNAL = "internal", SERVICE, 500, FAILS_FOR_NOW
    """A fault of Nightshift's own.
    The log of the API, or of the worker, says where; please report it."""

    # The service, its parts and its weights.
    DATABASE_UNAVAILABLE = "database_unavailable", SERVICE, 503
    """The database does not answer, or is locked.
    Try again; the log has its words."""
    SCHEMA_OUTDATED = "schema_outdated", OPERATOR, 503
    """The database lacks migrations.
    `python -m shared.db.migrate`."""
    STORE_UNAVAILABLE = "store_unavailable", SERVICE, 503
    """The store, where uploads are kept, does not answer.
    Try again; the log has its words."""
    STORE_FULL = "store_full", OPERATOR, 507
    """The disk of store or database has less than 200 MB left, or a tenth of a small one.
    Erase jobs, which always works, or make room."""
    BROKER_MISSING = "broker_missing", OPERATOR
    """The broker is not installed, or no service runs on this home.
    Start `nightshift serve`, or set `NIGHTSHIFT_BROKER_URL`."""
    BROKER_LEFT = "broker_left", SERVICE
    """The broker of an earlier run, that was killed, has not ended yet.
    Try again in some seconds."""
    BAD_SETTING = "bad_setting", OPERATOR
    """A setting has an invalid value.
    The message names the variable and what is wrong with it."""
    API_KEY_REQUIRED = "api_key_required", OPERATOR
    """No root key is set, and none can be kept in the home.
    Set `NIGHTSHIFT_API_KEY`, or make the home writable."""
    CANNOT_LISTEN = "cannot_listen", OPERATOR
    """The address or the port is taken, or not this machine's.
    Choose another: `serve --port`, `NIGHTSHIFT_HOST`."""
    SERVICE_FAILED = "service_failed", SERVICE
    """A part of the service keeps ending, or was not ready in time.
    The message ends with the last lines of its log; all logs are in the home, under `logs/`."""
    WEIGHTS_DIR_UNREADABLE = "weights_dir_unreadable", OPERATOR, 503
    """The folder of weights cannot be looked into.
    Look at its permissions; `NIGHTSHIFT_WEIGHTS_DIR` names it."""
    BUNDLE_NOT_FOUND = "bundle_not_found", OPERATOR
    """The weights are missing, or one of their files is.
    Fetch `weights/` again, or name others (`nightshift models list`): `--bundle`, `NIGHTSHIFT_BUNDLE`."""
    BUNDLE_FORMAT = "bundle_format", OPERATOR
    """The weights' manifest cannot be read, or says what cannot be.
    weights/README.md describes it."""
    BUNDLE_SHA256 = "bundle_sha256", OPERATOR
    """The weights are not those of their manifest.
    Fetch them again."""
    BUNDLE_TENSORS = "bundle_tensors", OPERATOR
    """The tensors, or the networks, are not those that the manifest promises, or give no sensible answer.
    Export the bundle again; of ONNX files, weights/README.md says what they take and give."""
    COMMERCIAL_USE_NOT_ALLOWED = "commercial_use_not_allowed", OPERATOR
    """`NIGHTSHIFT_REQUIRE_COMMERCIAL_USE` is set, and the weights' manifest does not allow commercial use.
    Name others (`nightshift models list` says which allow it), or unset it."""
    PACKAGE_MISSING = "package_missing", OPERATOR
    """The package that weights are to be taken from is not installed, or another version of it is.
    The message has the command that installs it."""
    DETECTOR_UNAVAILABLE = "detector_unavailable", OPERATOR
    """The detector's own weights, `weights/mtcnn`, are missing or damaged.
    Fetch them again: `git checkout weights/mtcnn`."""
    DEVICE_UNAVAILABLE = "device_unavailable", OPERATOR
    """`NIGHTSHIFT_DEVICE` asks for CUDA that is not there, or not for these weights, or without torch.
    `auto` uses it where it is, and where they can; `make run GPU=1` installs torch."""
    RUNTIME_UNAVAILABLE = "runtime_unavailable", OPERATOR
    """The networks have nothing to run on here, or not what `NIGHTSHIFT_RUNTIME` or the weights ask for.
    `auto` takes what there is; where there is nothing, the message says what to install."""
    CHECKPOINT_UNREADABLE = "checkpoint_unreadable", CLIENT
    """A checkpoint to be imported cannot be opened.
    Look at the path and its permissions."""
    CHECKPOINT_NOT_TENSORS = "checkpoint_not_tensors", CLIENT
    """A checkpoint holds something else than tensors by name; nothing in it is run.
    Save `module.state_dict()`, not the module."""
    CHECKPOINT_SHAPE = "checkpoint_shape", CLIENT
    """A checkpoint's tensors are not those of the original model.
    Look at which file was given for what."""
    BAD_GENDER_CLASSES = "bad_gender_classes", CLIENT
    """`--gender-classes` is neither `male,female` nor `female,male`.
    Give the order that the checkpoint was trained with."""

    # The client.
    UNREACHABLE = "unreachable", OPERATOR
    """No answer came from the server.
    Look at the address, at whether it runs, and at what stands between."""
    UPLOAD_CUT = "upload_cut", CLIENT
    """The server closed the connection while a photo was on its way; most likely that is over a limit.
    Look at its size, and at the limits of the server and of any proxy."""
    WAIT_TIMEOUT = "wait_timeout", CLIENT
    """The job had not ended when the time allowed for waiting was over.
    Wait longer; the job goes on."""

    # The command.
    NO_SUCH_PATH = "no_such_path", CLIENT
    """There is no such file or folder.
    Look at the path."""
    NO_PHOTOS = "no_photos", CLIENT
    """The folders hold no photos; the message counts what else there is.
    Look at the path."""
    NIGHTSHIFT_HOME = "nightshift_home", CLIENT
    """The folder is a Nightshift home, or lies in one: what is in it are copies of photos, and thumbnails.
    Name the folder that the photos came from."""
    ARCHIVE_ALONE = "archive_alone", CLIENT
    """An archive makes a job of its own, and something was given beside it.
    Give it alone, without `--job` and `--in-place`."""
    BAD_OUT = "bad_out", CLIENT
    """What `--out` names cannot be written to.
    Choose another place."""
    RESULTS_NOT_WRITTEN = "results_not_written", OPERATOR
    """The results could not be written; what was found is kept.
    Make room, or run again with another `--out`."""
    RESULTS_IN_THE_WAY = "results_in_the_way", CLIENT
    """Where results are to go there are others: of other photos, changed since, or not of a run at all.
    Name another `--out`, or have them replaced with `--overwrite`."""
    TABLES_MISSING = "tables_missing", OPERATOR
    """A package that Parquet, XLSX or data frames need is not installed.
    `pip install "nightshift-photos[tables]"`, in a checkout `-e ".[all,tables]"`; `pip install pandas`."""
    REPORT_NOT_WRITTEN = "report_not_written", OPERATOR
    """The report could not be written; the results are.
    Make room; then `nightshift report JOB`, or run again."""
    RUN_NOT_NOTED = "run_not_noted", OPERATOR
    """The home cannot hold the note by which `--resume` finds the run.
    Make room, or look at the home's permissions."""
    OUTPUT_LOST = "output_lost", OPERATOR
    """What the command was to print could not be: standard output is full or closed.
    Make room where it leads to, and ask again; `--out` writes results to a file."""
    SEVERAL_JOBS = "several_jobs", CLIENT
    """More than one job's id begins with what was given to the command.
    Give more of it: the message shows whole ids."""
    NOT_A_PHOTO = "not_a_photo", CLIENT
    """A file that was named on its own is a film, a document or the like, by its first bytes.
    Leave it out, or save what it shows as JPEG."""
    NOTHING_TO_RESUME = "nothing_to_resume", CLIENT
    """The home holds no interrupted run.
    Run without `--resume`, or name the home with `--home`."""
    OTHER_WEIGHTS = "other_weights", CLIENT
    """The interrupted run was begun with other weights than those in use now.
    Name them with `--bundle`, or run without `--resume`."""
    GAVE_UP = "gave_up", OPERATOR
    """Nothing moved for `NIGHTSHIFT_GIVE_UP_S`, for the reason that the message names.
    Mend that; `nightshift run --resume` goes on."""
    HOME_IN_USE = "home_in_use", CLIENT
    """Another `nightshift` runs with this home (exit code 7); the message names it.
    A server takes photos by `nightshift submit`; wait for others, or name another home with `--home`."""
    BAD_HOME = "bad_home", OPERATOR
    """The home cannot be made, or holds other files, or belongs to somebody else.
    Set `NIGHTSHIFT_HOME` to a folder of your own."""
    BAD_API_KEY = "bad_api_key", CLIENT
    """The API key has characters that no key has.
    Is there more in it, such as a line end?"""
    NOT_CONFIRMED = "not_confirmed", CLIENT
    """The question whether to erase was not answered with yes.
    With `--yes` it is not asked."""
    BAD_BUNDLE_NAME = "bad_bundle_name", CLIENT
    """The weights' name cannot name a folder.
    Give another with `--name`."""
    BUNDLE_EXISTS = "bundle_exists", CLIENT
    """There is something else under the weights' name.
    Give another with `--name`; the message of a tool says how it is replaced."""
    BUNDLE_TOO_LARGE = "bundle_too_large", CLIENT
    """A file of the weights is larger than weights can be.
    Is it the right file?"""
    SEVERAL_BUNDLES = "several_bundles", CLIENT
    """The archive holds more than one bundle.
    Unpack it, and import each of them."""
    BUNDLE_NOT_IMPORTED = "bundle_not_imported", OPERATOR
    """The weights' folder took no new files; nothing was imported.
    Make room, or look at its permissions."""
    CHECK_FAILED = "check_failed", SERVICE
    """The process that checks weights ended without an answer.
    The message has its last line; memory may be short."""
    OS_ERROR = "os_error", OPERATOR
    """The system refused something; the message names the file and the reason.
    Look at the disk and its permissions."""


PHOTO_ERROR_CODES = frozenset(code for code in Code if code.fails & (FAILS | FAILS_FOR_NOW))
JOB_ERROR_CODES = frozenset(code for code in Code if code.fails & ENDS_JOB)
PROBLEM_CODES = frozenset(code for code in Code if code.status)
