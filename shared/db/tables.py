"""The tables. Migrations make them; a test holds the two together."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from nightshift.words.ids import new_id
from shared.db.base import BY_CODE_POINTS
from shared.db.base import Base as Base

RUNNING: ColumnElement[str] = literal_column("'running'")
SUCCEEDED: ColumnElement[str] = literal_column("'succeeded'")
NOT_SUCCEEDED: tuple[ColumnElement[str], ...] = (literal_column("'failed'"), literal_column("'cancelled'"))


class Job(Base):
    """Photos submitted together, with one owner."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_owner_created_at", "owner", "created_at", "id"),
        Index("ix_jobs_state", "state"),
        Index("ix_jobs_owner_state", "owner", "state"),
        Index("ix_jobs_results_expire_at", "results_expire_at"),
        # Whose turn it is asks when each owner had one.
        Index("ix_jobs_owner_last_claimed_at", "owner", "last_claimed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    label: Mapped[str | None]
    state: Mapped[str]
    outcome: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=0)
    options: Mapped[dict[str, Any]]
    options_fingerprint: Mapped[str]
    # "metadata" is SQLAlchemy's own name on a model.
    client_metadata: Mapped[dict[str, Any]] = mapped_column("metadata")
    bundle_name: Mapped[str]
    bundle_sha256: Mapped[str]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    results_expire_at: Mapped[datetime | None]
    # Frozen when the job ends; until then they come from the photo rows.
    final_counts: Mapped[dict[str, Any] | None]
    # The job's wish, and when it was fulfilled.
    delete_originals: Mapped[bool] = mapped_column(default=False)
    originals_deleted_at: Mapped[datetime | None]
    # When the bytes that nobody needs were deleted, after it had ended; null again with each end.
    cleared_at: Mapped[datetime | None]
    # An open job nobody adds to any more ends then.
    open_until: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    max_failure_rate: Mapped[float | None]
    # As the client wrote it: "22:00-06:00 Europe/Berlin".
    processing_window: Mapped[str | None]
    deadline: Mapped[datetime | None]
    # Jobs take turns: of two that have as much under lease, the one claimed from longer ago is next.
    last_claimed_at: Mapped[datetime | None]
    # Where word of it is sent; null: as its owner has it. What was told of it already.
    notify: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    told_percent: Mapped[int | None]
    told_expiring_at: Mapped[datetime | None]
    # Of the request that made it (W3C Trace Context).
    traceparent: Mapped[str | None]
    # Why it ended otherwise than by its photos.
    error: Mapped[dict[str, Any] | None]


class Leased:
    """What somebody may hold; see `shared.queue.leases`."""

    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]


def _where(condition: str) -> dict[str, Any]:
    """Of a partial index, on either database."""
    return dict.fromkeys(("sqlite_where", "postgresql_where"), text(condition))


class Photo(Leased, Base):
    """One file of a job."""

    __tablename__ = "photos"
    __table_args__ = (
        UniqueConstraint("job_id", "custom_id"),
        # Serves the claim (job, status, ordinal) and, covering, the counts with their sum of faces.
        Index("ix_photos_claim", "job_id", "status", "ordinal", "face_count"),
        Index("ix_photos_job_id_ordinal", "job_id", "ordinal", unique=True),
        # Each order that photos are listed in: a page is read from where the last one ended.
        Index("ix_photos_by_place", "job_id", "place", "ordinal"),
        Index("ix_photos_by_name", "job_id", "name_order", "ordinal"),
        Index("ix_photos_by_time", "job_id", "taken_at", "ordinal"),
        Index("ix_photos_by_faces", "job_id", "face_count", "ordinal"),
        Index("ix_photos_by_sureness", "job_id", "sureness", "ordinal"),
        # A query meets a partial index only with the status as a literal: SUCCEEDED and RUNNING above.
        Index("ix_photos_leases", "lease_expires_at", **_where("status = 'running'")),
        Index("ix_photos_reuse", "owner", "sha256", **_where("status = 'succeeded'")),
        Index("ix_photos_kept", "owner", "sha256", **_where("status IN ('failed', 'cancelled')")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    owner: Mapped[str]
    # In which they came: without gaps.
    ordinal: Mapped[int]
    # In which they are listed: as the client said, else the ordinal.
    place: Mapped[int]
    custom_id: Mapped[str]
    # Of the name: what is sought in, and what is sorted by.
    folded_name: Mapped[str] = mapped_column(BY_CODE_POINTS)
    name_order: Mapped[str] = mapped_column(BY_CODE_POINTS)
    # A photo registered in place has a path and is never copied, written or deleted.
    in_place_path: Mapped[str | None]
    # What was given to find it by, as the client said it; decides nothing.
    root: Mapped[str | None]
    sha256: Mapped[str | None]
    size_bytes: Mapped[int | None]
    status: Mapped[str]

    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    read_errors: Mapped[int] = mapped_column(default=0)
    # Kept after the end: who did it.
    worker: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # How each attempt ended, oldest first.
    history: Mapped[list[dict[str, Any]] | None]

    options_fingerprint: Mapped[str | None]
    bundle_name: Mapped[str | None]
    bundle_sha256: Mapped[str | None]
    precision: Mapped[str | None]
    reused_from: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    exif_orientation: Mapped[int | None]
    taken_at: Mapped[str | None] = mapped_column(BY_CODE_POINTS)
    camera_make: Mapped[str | None]
    camera_model: Mapped[str | None]
    scale: Mapped[float | None]
    face_count: Mapped[int] = mapped_column(default=0)
    # Of the least sure label of its faces; null without one.
    sureness: Mapped[float | None] = mapped_column(Float(53))
    # Beside the counts and the faces' table, whose rows all count.
    low_confidence_faces: Mapped[list[dict[str, Any]] | None]
    timings_ms: Mapped[dict[str, Any] | None]
    warnings: Mapped[list[str] | None]
    error: Mapped[dict[str, Any] | None]


class FaceRow(Base):
    """One face. `document` is the face as the API shows it; the columns beside it serve summaries."""

    __tablename__ = "faces"
    __table_args__ = (Index("ix_faces_job_id_gender_age_group", "job_id", "gender", "age_group"),)

    photo_id: Mapped[str] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    gender: Mapped[str]
    age_group: Mapped[str]
    # Why each label is uncertain, joined by spaces; empty when it is not.
    gender_because: Mapped[str]
    age_group_because: Mapped[str]
    sharpness: Mapped[float | None] = mapped_column(Float(53))
    document: Mapped[dict[str, Any]]


PHOTOS, FACES = cast(Table, Photo.__table__), cast(Table, FaceRow.__table__)
"""For statements that write many rows at once."""


class Upload(Leased, Base):
    """A request that makes a job: under way while it has a lease, remembered for its retries afterwards.

    The job's row is made when everything has arrived; until then this row alone knows of the bytes
    that are stored under the job's id.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        Index("ix_uploads_lease_expires_at", "lease_expires_at"),
        Index("ix_uploads_job_id", "job_id"),
    )

    owner: Mapped[str] = mapped_column(primary_key=True)
    # A digest of the client's: a key may say whose photos they are.
    key: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str]
    begun_at: Mapped[datetime]
    # Of what was sent; a retry must send the same.
    fingerprint: Mapped[str | None]


class Archive(Leased, Base):
    """The archive a job's photos come from, and how far it has been unpacked."""

    __tablename__ = "archives"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    # Members dealt with, and the bytes they had.
    position: Mapped[int] = mapped_column(default=0)
    unpacked_bytes: Mapped[int] = mapped_column(default=0)
    # Files that are no photos by their extension, counted by it.
    left_alone: Mapped[dict[str, Any]]
    unpacked_at: Mapped[datetime | None]
    crashes: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]


class Erasure(Base):
    """The receipt of an erased job: numbers and times, no names."""

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_completed_at", "completed_at"),)

    job_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    reason: Mapped[str]
    requested_at: Mapped[datetime]
    # Rows are gone from the beginning; bytes are when this is set.
    completed_at: Mapped[datetime | None]
    photos: Mapped[int]
    faces: Mapped[int]
    in_place: Mapped[int]
    # Counted once, before the first byte goes.
    originals: Mapped[int | None]
    thumbnails: Mapped[int | None]
    archives: Mapped[int | None]
    size_bytes: Mapped[int | None]


class ClockRow(Base):
    """How far a clock that things end by is believed; see `shared.queue.expiry`."""

    __tablename__ = "clocks"

    name: Mapped[str] = mapped_column(primary_key=True)
    believed_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    # By the clock that is doubted; None while it is believed.
    doubted_since: Mapped[datetime | None]


class Holding(Base):
    """What an owner holds: photos, and bytes of uploads in the store. Changed with the rows it counts."""

    __tablename__ = "holdings"

    owner: Mapped[str] = mapped_column(primary_key=True)
    photos: Mapped[int]
    size_bytes: Mapped[int]


class Key(Base):
    """An API key. The key itself is shown once, when it is made; only its digest is kept."""

    __tablename__ = "keys"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]
    scopes: Mapped[list[str]]
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    # To the minute, or later: requests wait for no write.
    last_used_at: Mapped[datetime | None]


class WorkerRow(Base):
    """A process that works, or sweeps: what it is, when it was last seen, what it has done.

    Each process writes its own row alone, so that nobody waits for anybody. Rows of processes that are
    long gone are added up in one, whose id is empty.
    """

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    host: Mapped[str]
    # What it is and how it works: device, bundle, batch size.
    about: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    # Sums since its start, for /metrics.
    sums: Mapped[dict[str, Any]]


class WebhookSecret(Base):
    """What an owner's webhooks are signed with. It has to be kept as it is, and is shown once."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index("ix_webhook_secrets_owner", "owner"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    secret: Mapped[str]
    created_at: Mapped[datetime]
    # Signs beside its successor until then; null while it has none.
    expires_at: Mapped[datetime | None]


class Receiver(Base):
    """A URL of an owner's: told of every job that names no others, or wanting nothing any more (410)."""

    __tablename__ = "receivers"
    __table_args__ = (Index("ix_receivers_id", "id", unique=True),)

    owner: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(primary_key=True)
    # What it is called where its URL, which may hold secrets, cannot be shown.
    id: Mapped[str] = mapped_column(default=lambda: new_id("rcv"))
    # As an entry of a job's `notify`; null for one that is known from jobs alone.
    notify: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    disabled_at: Mapped[datetime | None]


class Delivery(Base):
    """The outbox: an event for one receiver, written with what it tells of. Its id is the event's."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_next_at", "next_at", **_where("next_at IS NOT NULL")),
        # Owners have turns: what is due of each is read in its order, and of nobody else's.
        Index("ix_deliveries_owner_next_at", "owner", "next_at", **_where("next_at IS NOT NULL")),
        Index("ix_deliveries_owner_created_at", "owner", "created_at", "id"),
        Index("ix_deliveries_job_id", "job_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    # Null for a test. What a job's events say goes with the job.
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    event: Mapped[str]
    url: Mapped[str]
    created_at: Mapped[datetime]
    # What is sent, letter for letter the same each time; written before the first attempt.
    body: Mapped[str | None]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    # When it is due; while it is being sent, when it is due should its sender have died. Null: never.
    next_at: Mapped[datetime | None]
    # No attempt after it.
    until: Mapped[datetime]
    attempted_at: Mapped[datetime | None]
    status: Mapped[int | None]
    answer: Mapped[str | None]
    problem: Mapped[str | None]


class AuditRow(Base):
    """Something that was done, by whom. It outlives what it is about, so it holds ids and no name."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_owner_at", "owner", "at", "id"),
        Index("ix_audit_subject", "subject"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    verb: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str | None]
    key_id: Mapped[str | None]
    person: Mapped[str | None]
    address: Mapped[str | None]
    at: Mapped[datetime]
