"""What a client sees, as frozen pydantic models: the API's schema is made from them.

Gender and age are *apparent*: what a classifier reads from the pixels, not what anyone is.
"Left" is the side of the image, not of the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightshift.words.analysis import Face, PhotoError, TimingsMs
from nightshift.words.options import JobOptions
from nightshift.words.scopes import Scope
from nightshift.words.states import JobState, Outcome, PhotoStatus

NOTICE = (
    "Gender and age are apparent: what a classifier reads from the pixels, not what anyone is. "
    "Labels marked uncertain are under the bundle's threshold."
)

FourDecimals = Annotated[float, AfterValidator(lambda value: round(value, 4))]


class View(BaseModel):
    """Base of the views."""

    model_config = ConfigDict(frozen=True)


class BundleName(View):
    """The weights: name, and sha256 of their tensors."""

    name: str
    sha256: str


class PhotoCounts(View):
    """Photos of a job by status; they always add up to `total`."""

    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int


class JobLinks(View):
    """Where the job's parts are, as paths on this server."""

    self: str
    photos: str
    results: str
    summary: str


class Archive(View):
    """The archive that a job's photos came in."""

    name: str = Field(description="Its file name; empty for whoever sees it from outside, as operator.")
    sha256: str = Field(description="Of its bytes, hex.")
    size_bytes: int
    members: int = Field(description="Members dealt with so far.")
    left_alone: dict[str, int] = Field(
        description="Files in it that are no photos by their first bytes, by extension, and what systems and"
        " photo programs keep for themselves."
    )
    unpacked_at: datetime | None = Field(description="Null while it is being unpacked.")


class JobError(View):
    """Why a job was ended."""

    code: Literal["too_many_failures", "expired"]
    message: str


class Job(View):
    """Photos submitted together."""

    id: str = Field(description="`job_` and 32 hex digits.")
    owner: str = Field(description="Whose it is.")
    label: str | None = Field(description="The client's own name for it.")
    state: JobState = Field(description="Where it stands; nothing changes any more once `ended`.")
    outcome: Outcome | None = Field(description="How it ended; null until then.")
    counts: PhotoCounts
    faces: int = Field(description="Faces found so far.")
    progress: FourDecimals = Field(description="Photos that are final, as a fraction of all, 0-1.")
    photos_per_second: FourDecimals | None = Field(
        description="Over the last minute or so; over the whole run once ended; null when unknown, or when"
        " that was less than ten seconds."
    )
    eta: datetime | None = Field(description="About when it will end at this rate; null when unknown.")
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    results_expire_at: datetime | None
    options: JobOptions
    bundle: BundleName = Field(description="Weights that were configured when the job was opened.")
    metadata: dict[str, Any] = Field(
        description="What the client attached to it; empty for whoever sees it from outside, as operator."
    )
    priority: int = Field(description="Jobs of higher priority are worked on first.")
    max_failure_rate: float | None = Field(
        description="It stops, failed, once more than this fraction of its photos has failed; 0-1."
    )
    processing_window: str | None = Field(description="When it is worked on; null: always.")
    waits_until: datetime | None = Field(
        description="When its pause ends by itself, or its window opens; null when nothing holds it back."
    )
    open_until: datetime | None = Field(
        description="When it expires unless it is submitted or given photos before; null once submitted."
    )
    error: JobError | None = Field(
        description="Why it ended otherwise than by its photos; null unless it did."
    )
    archive: Archive | None = Field(description="What its photos came in; null without one.")
    links: JobLinks


class Erasure(View):
    """The receipt of an erased job: what there was, and when it went."""

    job_id: str
    reason: Literal["requested", "expired"]
    requested_at: datetime = Field(description="From here on nothing of the job could be seen.")
    completed_at: datetime | None = Field(
        description="From here on none of its bytes are stored. Null while the database's log, which"
        " others are reading, may still hold copies: the sweeper sees to it."
    )
    photos: int = Field(description="Photos the job had.")
    faces: int = Field(description="Faces that were found in them.")
    in_place: int = Field(description="Of the photos: files that stayed where they are, untouched.")
    originals: int = Field(description="Uploaded photos deleted from the store.")
    thumbnails: int = Field(description="Thumbnails deleted from the store.")
    archives: int = Field(description="Archives deleted from the store.")
    size_bytes: int = Field(description="Bytes deleted from the store.")


class JobPage(View):
    """Jobs, newest first."""

    jobs: list[Job]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class Attempt(View):
    """One worker's turn at a photo, and how it ended."""

    attempt: int = Field(description="Its number; one that was returned is not counted, and comes again.")
    worker: str | None = Field(description="The process that had it.")
    started_at: datetime | None
    ended_at: datetime
    ending: Literal["succeeded", "failed", "crashed", "returned", "not_read", "hung"] = Field(
        description="`crashed`: its worker died or fell silent; `returned`: its worker was told to stop;"
        " `not_read`: its bytes were out of reach; `hung`: there was no progress."
    )


class Photo(View):
    """One photo and what was found in it; also one line of the results."""

    custom_id: str = Field(description="The client's name for it, unique in the job.")
    photo_id: str = Field(description="`pho_` and 32 hex digits.")
    sha256: str | None = Field(description="Of its bytes, hex; null until a worker has read the file.")
    status: PhotoStatus
    width: int | None = Field(description="Of the upright photo at full size, pixels.")
    height: int | None = Field(description="Of the upright photo at full size, pixels.")
    exif_orientation: int | None = Field(description="1-8, as the file said.")
    scale: float | None = Field(description="Side the detector saw, as a fraction of full size.")
    attempts: int = Field(description="How often a worker has taken it.")
    history: list[Attempt] = Field(description="How each attempt ended, oldest first; the last 20.")
    reused: bool = Field(description="True when an earlier analysis of the same bytes was taken over.")
    timings_ms: TimingsMs | None = Field(description="Its share of its batch's time, milliseconds.")
    precision: str | None = Field(description="Number format of the classifier: fp32, bf16 or fp16.")
    bundle: BundleName | None = Field(description="Weights it was analysed with; null until then.")
    warnings: list[str]
    error: PhotoError | None = Field(description="Why it failed; null unless it did.")
    faces: list[Face] = Field(description="Largest first; a photo without a face succeeded with none.")


class PhotoPage(View):
    """Photos, in the order in which they were added."""

    photos: list[Photo]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class GenderCounts(View):
    """Faces by apparent gender."""

    female: int = 0
    male: int = 0


class Summary(View):
    """A job's results in numbers."""

    photos: PhotoCounts
    faces: int
    gender: GenderCounts
    age_group: dict[str, int] = Field(description="Faces by apparent age group; all eight are there.")
    gender_by_age_group: dict[str, GenderCounts]
    uncertain: int = Field(description="Faces whose gender or age group is marked uncertain.")
    no_face: int = Field(description="Photos that succeeded without a face.")
    reused: int = Field(description="Photos that took over an earlier analysis of the same bytes.")
    failures: dict[str, int] = Field(description="Failed photos by error code.")
    notice: str = Field(description="How gender and age are meant.")


class Key(View):
    """An API key, without the key."""

    id: str = Field(description="`key_` and 32 hex digits.")
    name: str
    owner: str = Field(description="Whose jobs it makes and sees.")
    scopes: list[Scope]
    created_at: datetime
    revoked_at: datetime | None = Field(description="From here on it is refused; null while it is good.")
    expires_at: datetime | None = Field(description="From here on it is refused; null: never.")
    last_used_at: datetime | None = Field(description="About when, to the minute; null: not yet.")


class MadeKey(Key):
    """An API key that has just been made."""

    key: str = Field(description="The key itself. It is not kept, and cannot be shown again.")


class KeyList(View):
    """Keys, the newest first."""

    keys: list[Key]


class Worker(View):
    """A process that works on photos, or sweeps."""

    id: str
    kind: Literal["worker", "sweeper"]
    host: str
    alive: bool = Field(description="Seen within 45 seconds, not stopped, and not known to be dead.")
    about: dict[str, Any] = Field(description="Device, bundle, batch size, version and the like.")
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    photos_held: int = Field(description="Photos under its lease now.")
    photos_done: int = Field(description="Photos it has made final since it started.")


class WorkerList(View):
    """Processes seen within the last hour or so, the newest first."""

    workers: list[Worker]


class ModelMetrics(View):
    """How good weights were on their validation faces, as their manifest says; null where it does not."""

    gender: float | None = Field(description="Apparent gender right, 0-1.")
    age8: float | None = Field(description="Apparent age group right, of eight, 0-1.")
    near: float | None = Field(description="Apparent age group right or the next one, 0-1.")
    mae: float | None = Field(description="Mean error of the apparent age, years.")


class ModelError(View):
    """Why weights cannot be used."""

    code: str
    message: str


class Model(View):
    """A bundle of weights in the weights folder, by what its manifest says of it."""

    name: str = Field(description="Of its folder: what NIGHTSHIFT_BUNDLE takes.")
    manifest_name: str | None = Field(description="In its manifest: what results carry.")
    sha256: str | None = Field(description="Of its tensors, hex, as its manifest says.")
    in_use: bool = Field(description="Whether NIGHTSHIFT_BUNDLE names it.")
    input_size: int | None = Field(description="Side of the crop of a face, pixels.")
    age_kind: Literal["years", "groups"] | None = Field(
        description="`years`: it knows apparent ages; `groups`: groups only, and `age_years` is null."
    )
    metrics: ModelMetrics
    licence: str | None
    size_bytes: int = Field(description="Of its two files.")
    error: ModelError | None = Field(description="Why it cannot be used; null when nothing is known.")


class ModelList(View):
    """Weights, by name."""

    in_use: BundleName = Field(description="Weights that new jobs are opened for.")
    models: list[Model]
