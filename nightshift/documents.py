"""The server's answers as typed objects. Fields a newer server adds are kept, not refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nightshift.words.analysis import Face, PhotoError, TimingsMs


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Counts(_Document):
    """Photos of a job by status."""

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


class BundleName(_Document):
    """Which weights."""

    name: str
    sha256: str


class Archive(_Document):
    """The archive that a job's photos came in."""

    name: str
    size_bytes: int
    members: int = 0
    left_alone: dict[str, int] = Field(default_factory=dict)
    unpacked_at: datetime | None = None


class Erasure(_Document):
    """The receipt of an erased job."""

    job_id: str
    reason: str
    requested_at: datetime
    completed_at: datetime | None = None
    photos: int = 0
    faces: int = 0
    in_place: int = 0
    originals: int = 0
    thumbnails: int = 0
    archives: int = 0
    size_bytes: int = 0


class Readiness(_Document):
    """Whether a server can work: each part's state, and how many workers and sweepers were seen lately."""

    status: str
    checks: dict[str, Any] = Field(default_factory=dict)


class JobError(_Document):
    """Why a job ended otherwise than by its photos."""

    code: str
    message: str


class Key(_Document):
    """An API key; `key` is None except in the answer that made it."""

    id: str
    name: str
    owner: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    key: str | None = None


class Attempt(_Document):
    """One worker's turn at a photo, and how it ended."""

    attempt: int
    worker: str | None = None
    started_at: datetime | None = None
    ended_at: datetime
    ending: str


class Job(_Document):
    """Photos submitted together. `outcome` is set once `state` is `ended`."""

    # It names folders here: a server must not choose others.
    id: str = Field(pattern=r"^job_[0-9A-Za-z]{1,64}$")
    owner: str = ""
    label: str | None = None
    state: str
    outcome: str | None = None
    counts: Counts
    faces: int = 0
    progress: float = 0.0
    photos_per_second: float | None = None
    eta: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    results_expire_at: datetime | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    bundle: BundleName | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    priority: int = 0
    max_failure_rate: float | None = None
    processing_window: str | None = None
    waits_until: datetime | None = None
    open_until: datetime | None = None
    error: JobError | None = None
    archive: Archive | None = None

    @property
    def ended(self) -> bool:
        """True when nothing more will happen to it."""
        return self.state == "ended"


class Photo(_Document):
    """One photo of a job, the same document as a line of the results.

    `faces` is empty for a photo without any, which is a success.
    """

    custom_id: str
    photo_id: str
    sha256: str | None = None
    status: str
    width: int | None = None
    height: int | None = None
    exif_orientation: int | None = None
    scale: float | None = None
    attempts: int = 0
    history: tuple[Attempt, ...] = ()
    reused: bool = False
    timings_ms: TimingsMs | None = None
    precision: str | None = None
    bundle: BundleName | None = None
    warnings: tuple[str, ...] = ()
    error: PhotoError | None = None
    faces: tuple[Face, ...] = ()


class ModelMetrics(_Document):
    """How good weights were on their validation faces; None where their manifest does not say."""

    gender: float | None = None
    age8: float | None = None
    near: float | None = None
    mae: float | None = None


class ModelError(_Document):
    """Why weights cannot be used."""

    code: str
    message: str


class Model(_Document):
    """A bundle of weights that the server has; of a broken one, its name and its error are known."""

    name: str
    manifest_name: str | None = None
    sha256: str | None = None
    in_use: bool = False
    input_size: int | None = None
    age_kind: str | None = None
    metrics: ModelMetrics = Field(default_factory=ModelMetrics)
    licence: str | None = None
    size_bytes: int = 0
    error: ModelError | None = None


class Summary(_Document):
    """What a job found, added up. Gender and age group are apparent."""

    photos: Counts
    faces: int
    gender: dict[str, int]
    age_group: dict[str, int]
    uncertain: int = 0
    no_face: int = 0
    reused: int = 0
    failures: dict[str, int] = Field(default_factory=dict)
    notice: str = ""


class Page(_Document):
    """One page of a listing and the cursor of the next."""

    jobs: tuple[Job, ...] = ()
    photos: tuple[Photo, ...] = ()
    next: str | None = None
