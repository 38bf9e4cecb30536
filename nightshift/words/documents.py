"""What a server answers, as frozen pydantic models: it writes them, and the client reads them.

The API's schema is made from them.

Either side may be older than the other: see `nightshift.words.document`.

Gender and age are *apparent*: what a classifier reads from the pixels, not what anyone is.
"Left" is the side of the image, not of the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from nightshift.words.analysis import Face, TimingsMs
from nightshift.words.code_fields import JobErrorCode
from nightshift.words.document import Document, Known, LenientError, LenientOptions
from nightshift.words.options import JobOptions
from nightshift.words.states import JobState, Outcome, PhotoStatus
from nightshift.words.thresholds import Thresholds
from nightshift.words.webhooks import Notified, ShownUrl

NOTICE = (
    "Gender and age are apparent: what a classifier reads from the pixels, not what anyone is. "
    "A label marked uncertain is a close call, or the face is too blurred, small, dark, turned, cut off"
    " or young."
)

FACES_ARE_NOT_PEOPLE = "Faces are not people: whoever is in ten photos is counted as ten faces."

FourDecimals = Annotated[float, AfterValidator(lambda value: round(value, 4))]


class BundleName(Document):
    """The weights: name, and sha256 of their numbers."""

    name: str
    sha256: str


class PhotoCounts(Document):
    """Photos of a job by status; they always add up to `total`."""

    total: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def final(self) -> int:
        """Photos that nothing will change any more."""
        return self.succeeded + self.failed + self.cancelled


class JobLinks(Document):
    """Where the job's parts are, as paths on this server."""

    self: str = ""
    photos: str = ""
    results: str = ""
    summary: str = ""


class Archive(Document):
    """The archive that a job's photos came in."""

    name: str = Field(description="Its file name; empty for whoever sees it from outside, as operator.")
    sha256: str = Field("", description="Of its bytes, hex.")
    size_bytes: int
    members: int = Field(0, description="Members dealt with so far.")
    left_alone: dict[str, int] = Field(
        default_factory=dict,
        description="Files in it that are no photos by their first bytes, by extension, and what systems and"
        " photo programs keep for themselves.",
    )
    unpacked_at: datetime | None = Field(None, description="Null while it is being unpacked.")


class JobError(Document):
    """Why a job was ended."""

    code: JobErrorCode
    message: str


class Job(Document):
    """Photos submitted together."""

    # It names folders of the client: a server must not choose others.
    id: str = Field(pattern=r"^job_[0-9A-Za-z]{1,64}$", description="`job_` and 32 hex digits.")
    owner: str = Field("", description="Whose it is.")
    label: str | None = Field(None, description="The client's own name for it.")
    state: Known[JobState] = Field(description="Where it stands; nothing changes any more once `ended`.")
    outcome: Known[Outcome] | None = Field(None, description="How it ended; null until then.")
    counts: PhotoCounts
    faces: int = Field(0, description="Faces found so far.")
    progress: FourDecimals = Field(0.0, description="Photos that are final, as a fraction of all, 0-1.")
    photos_per_second: FourDecimals | None = Field(
        None,
        description="Over the last minute or so; over the whole run once ended; null when unknown, or when"
        " that was less than ten seconds.",
    )
    eta: datetime | None = Field(None, description="About when it will end at this rate; null when unknown.")
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    results_expire_at: datetime | None = None
    options: LenientOptions = Field(default_factory=JobOptions)
    bundle: BundleName = Field(
        BundleName(name="", sha256=""), description="Weights that were configured when the job was opened."
    )
    metadata: dict[str, Any] = Field(
        default_factory=dict,
        description="What the client attached to it; empty for whoever sees it from outside, as operator.",
    )
    priority: int = Field(0, description="Jobs of higher priority are worked on first.")
    max_failure_rate: float | None = Field(
        None, description="It stops, failed, once more than this fraction of its photos has failed; 0-1."
    )
    processing_window: str | None = Field(None, description="When it is worked on; null: always.")
    deadline: datetime | None = Field(None, description="When what is not done is cancelled; null: never.")
    notify: list[Notified] | None = Field(
        None,
        description="Where word of it is sent; null: to where its owner has everything sent, and for whoever"
        " sees it from outside, as operator.",
    )
    notify_disabled: list[ShownUrl] = Field(
        default_factory=list,
        description="Those of `notify` that have answered 410: nothing is sent there until a test or a"
        " redelivery is asked.",
    )
    waits_until: datetime | None = Field(
        None,
        description="When its pause ends by itself, or its window opens; null when nothing holds it back.",
    )
    open_until: datetime | None = Field(
        None,
        description="When it expires unless it is submitted or given photos before; null once submitted.",
    )
    error: JobError | None = Field(
        None, description="Why it ended otherwise than by its photos; null unless it did."
    )
    archive: Archive | None = Field(None, description="What its photos came in; null without one.")
    traceparent: str | None = Field(
        None,
        description="Of the request that made it (W3C Trace Context): webhooks carry it on, workers log its"
        " trace; null without one.",
    )
    links: JobLinks = JobLinks()

    @property
    def ended(self) -> bool:
        """True when nothing more will happen to it."""
        return self.state == JobState.ENDED


class Erasure(Document):
    """The receipt of an erased job: what there was, and when it went."""

    job_id: str
    reason: Known[Literal["requested", "expired"]]
    requested_at: datetime = Field(description="From here on nothing of the job could be seen.")
    completed_at: datetime | None = Field(
        None,
        description="From here on none of its bytes are stored. Null while the database's log, which"
        " others are reading, may still hold copies: the sweeper sees to it.",
    )
    photos: int = Field(0, description="Photos the job had.")
    faces: int = Field(0, description="Faces that were found in them.")
    in_place: int = Field(0, description="Of the photos: files that stayed where they are, untouched.")
    originals: int = Field(0, description="Uploaded photos deleted from the store.")
    thumbnails: int = Field(0, description="Thumbnails deleted from the store.")
    archives: int = Field(0, description="Archives deleted from the store.")
    size_bytes: int = Field(0, description="Bytes deleted from the store.")


class JobPage(Document):
    """Jobs, newest first."""

    jobs: list[Job]
    next: str | None = Field(None, description="`cursor` of the next page; null on the last.")


class Attempt(Document):
    """One worker's turn at a photo, and how it ended."""

    attempt: int = Field(description="Its number; one that was returned is not counted, and comes again.")
    worker: str | None = Field(None, description="The process that had it.")
    started_at: datetime | None = None
    ended_at: datetime
    ending: Known[Literal["succeeded", "failed", "crashed", "returned", "not_read", "hung"]] = Field(
        description="`crashed`: its worker died or fell silent; `returned`: its worker was told to stop, or"
        " had its networks to load first;"
        " `not_read`: its bytes were out of reach; `hung`: there was no progress."
    )


class Photo(Document):
    """One photo and what was found in it; also one line of the results."""

    custom_id: str = Field(description="The client's name for it, unique in the job.")
    photo_id: str = Field(description="`pho_` and 32 hex digits.")
    path: str | None = Field(
        None,
        description="Of the file, where it was registered in place: absolute, with all links followed; a"
        " `file:` URL where it is no UTF-8. Null for uploads.",
    )
    root: str | None = Field(
        None, description="Folder or file that was given and the photo was found under; null when not said."
    )
    sha256: str | None = Field(None, description="Of its bytes, hex; null until a worker has read the file.")
    status: Known[PhotoStatus]
    width: int | None = Field(None, description="Of the upright photo at full size, pixels.")
    height: int | None = Field(None, description="Of the upright photo at full size, pixels.")
    exif_orientation: int | None = Field(None, description="1-8, as the file said.")
    taken_at: str | None = Field(
        None,
        description="When it was taken, by its camera's clock (EXIF DateTimeOriginal), as ISO 8601; with the"
        " offset from UTC where the camera said it.",
    )
    camera_make: str | None = Field(None, description="By EXIF, 100 characters at most.")
    camera_model: str | None = Field(None, description="By EXIF, 100 characters at most.")
    scale: float | None = Field(None, description="Side the detector saw, as a fraction of full size.")
    attempts: int = Field(0, description="How often a worker has taken it.")
    history: list[Attempt] = Field(
        default_factory=list, description="How each attempt ended, oldest first; the last 20."
    )
    reused: bool = Field(False, description="True when an earlier analysis of the same bytes was taken over.")
    timings_ms: TimingsMs | None = Field(None, description="Its share of its batch's time, milliseconds.")
    precision: str | None = Field(None, description="The classifier's number format: fp32, bf16, fp16, int8.")
    bundle: BundleName | None = Field(None, description="Weights it was analysed with; null until then.")
    warnings: list[str] = Field(default_factory=list)
    error: LenientError | None = Field(
        None, description="Why it failed, or what cancelled it; null for any other."
    )
    faces: list[Face] = Field(
        default_factory=list, description="Largest first; a photo without a face succeeded with none."
    )
    low_confidence_faces: list[Face] | None = Field(
        None,
        description="Of which the detector is less sure than the job's `min_confidence`, yet at least 0.7;"
        " largest first, with indices that go on. They are in no count. Null of a photo that is not analysed,"
        " or was before they were kept.",
    )
    format_version: int = Field(
        0,
        description="Of the results: raised when a field goes or means something else; 0 from before it was"
        " said.",
    )


class PhotoPage(Document):
    """Photos, in the order in which they were added."""

    photos: list[Photo]
    next: str | None = Field(None, description="`cursor` of the next page; null on the last.")


class PhotoOutline(Document):
    """Photos in outline, in the order that was asked for: enough to lay out a page of them."""

    total: int = Field(description="Photos that are sought.")
    shapes: list[int] = Field(
        description="Width of each in per cent of its height, upright; 0 where that is not known."
    )
    cursors: list[str] = Field(
        description="`cursor` of the second page of `limit` photos, of the third, and so on."
    )


class Crowd(Document):
    """Photos with a number of faces."""

    faces: int = Field(description="So many are in each of them.")
    photos: int


class Group(Document):
    """Photos that have something in common."""

    key: str = Field(description="What it is: a folder, empty for none, or an hour such as `2026-05-30T21`.")
    photos: int
    faces: int = Field(description="Faces in them.")


class Breakdown(Document):
    """Photos that succeeded, by what they have in common."""

    by_faces: list[Crowd] = Field(description="By how many faces are in them, none first.")
    by_folder: list[Group] = Field(description="By the folder in their names; the first 1000.")
    folders: int = Field(description="Folders in all.")
    by_hour: list[Group] = Field(
        description="By the hour in which they were taken, by their cameras' clocks; the first 1000."
    )
    hours: int = Field(description="Hours in all.")


class GenderCounts(Document):
    """Faces by apparent gender."""

    female: int = 0
    male: int = 0


class CommercialUse(Document):
    """Whether one may earn money with weights; nobody's legal advice."""

    allowed: Known[Literal["yes", "no", "unknown"]] = "unknown"
    reason: str = Field("the server does not say", description="By whose terms.")


class Summary(Document):
    """A job's results in numbers."""

    photos: PhotoCounts
    faces: int
    gender: GenderCounts
    age_group: dict[str, int] = Field(description="Faces by apparent age group; all eight are there.")
    gender_by_age_group: dict[str, GenderCounts] = Field(default_factory=dict)
    uncertain: int = Field(0, description="Faces whose gender or age group is marked uncertain.")
    uncertain_gender: int = Field(0, description="Faces whose gender is.")
    uncertain_age_group: int = Field(0, description="Faces whose age group is.")
    uncertain_because: dict[str, int] = Field(
        default_factory=dict,
        description="Faces by the reason why, as in `uncertain_because`; some have several.",
    )
    no_face: int = Field(0, description="Photos that succeeded without a face.")
    reused: int = Field(
        0, description="Photos that took over an analysis of the same bytes from an earlier job."
    )
    duplicates: int = Field(0, description="Photos that took over that of another photo of this job.")
    failures: dict[str, int] = Field(default_factory=dict, description="Failed photos by error code.")
    failures_kept: dict[str, int] = Field(
        default_factory=dict,
        description="Those of `failures` whose bytes the service has: `retry` tries them again, whether that"
        " helps or not.",
    )
    commercial_use: CommercialUse = Field(
        default_factory=CommercialUse, description="Of the weights the job was opened for, by their manifest."
    )
    thresholds: Thresholds | None = Field(
        None, description="Of the weights the job was opened for; null where they are not here any more."
    )
    notice: str = Field(NOTICE, description="How gender and age are meant.")


class Checked(Document):
    """What has still to be sent."""

    present: int = Field(0, description="Photos the job had already, with the same bytes.")
    copied: int = Field(0, description="Photos whose bytes were copied from another job of yours.")
    missing: list[str] = Field(description="`custom_id` of each photo whose bytes are to be sent.")
    taken: list[str] = Field(
        default_factory=list,
        description="Those of `missing` that stand for other bytes in this job already: sent under this name,"
        " they are refused (`custom_id_taken`).",
    )


class Added(Document):
    """What a registration did."""

    added: int = Field(description="Photos that were new to the job.")
    total: int = Field(0, description="Photos the job has now.")
