"""Requests that make a job: under a lease while their bytes arrive, then remembered for retries.

A client that heard no answer sends the same again with the same `Idempotency-Key`. It gets the job
that the first one made, and never a second. The mark "in use" is a lease: a server that was killed in
the middle frees the key by not renewing it, and the sweeper deletes the bytes it had taken in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.exc import IntegrityError

from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from nightshift.words.ids import new_id
from shared.db.engine import Transaction
from shared.db.tables import Upload
from shared.queue.leases import FREE, change, hold, renew
from shared.settings import Settings

REMEMBERED = timedelta(hours=24)
"""How long a key is honoured after its job was made."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """A request whose bytes are arriving; `job_id` is the job that they will make.

    Attributes:
        owner: of the job.
        key: a digest of the client's, or one of our own that nobody can send again.
        token: says that it is still this request that holds the key.
        job_id: its bytes are stored under this id.
        abandoned: a job id whose bytes an earlier request with this key left behind, None without one.
    """

    owner: str
    key: str
    token: str
    job_id: str
    abandoned: str | None = None
    table: ClassVar[type[Upload]] = Upload

    def still_held(self) -> tuple[ColumnElement[bool], ...]:
        """See `leases.Held`."""
        return Upload.owner == self.owner, Upload.key == self.key, Upload.lease_token == self.token

    @property
    def is_repeatable(self) -> bool:
        """True when the client chose the key, and may send it again."""
        return self.key != self.token


@dataclass(frozen=True, slots=True)
class Replay:
    """An earlier request with this key has made a job."""

    job_id: str
    fingerprint: str


def begin(session: Transaction, settings: Settings, owner: str, key: str | None) -> Receiving | Replay:
    """Take the key, or learn what became of it.

    Raises:
        Conflict: `idempotency_key_in_use`, while another request with it is under way.
    """
    row = Upload(owner=owner, job_id=new_id("job"), begun_at=session.now)
    token = hold(session, settings, row)
    row.key = _digest(owner, key) if key else token
    known = session.scalar(
        select(Upload).where(Upload.owner == owner, Upload.key == row.key).with_for_update()
    )
    if known is None:
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError as error:
            raise _in_use() from error
        return Receiving(owner, row.key, token, row.job_id)
    if known.fingerprint is not None:
        return Replay(known.job_id, known.fingerprint)
    if known.lease_expires_at is not None and known.lease_expires_at > session.now:
        raise _in_use()
    abandoned, known.job_id, known.begun_at = known.job_id, row.job_id, session.now
    token = hold(session, settings, known)
    session.flush()
    return Receiving(owner, known.key, token, known.job_id, abandoned)


def keep(session: Transaction, settings: Settings, upload: Receiving) -> None:
    """Move the lease's end.

    Raises:
        Conflict: `idempotency_key_in_use`, when another request has taken the key over.
    """
    if not renew(session, settings, upload):
        raise _in_use()


def finish(session: Transaction, upload: Receiving, fingerprint: str) -> None:
    """Remember what the key made, in the transaction that makes the job.

    Raises:
        Conflict: `idempotency_key_in_use`, when another request has taken the key over.
    """
    if not change(session, upload, **FREE, fingerprint=fingerprint):
        raise _in_use()
    if not upload.is_repeatable:
        session.execute(delete(Upload).where(Upload.owner == upload.owner, Upload.key == upload.key))


def abandon(session: Transaction, upload: Receiving) -> None:
    """Free the key; the bytes are deleted by then."""
    session.execute(delete(Upload).where(*upload.still_held()))


def any_due(session: Transaction) -> bool:
    """Whether `take_over` or `forget` would find anything."""
    due = or_(Upload.lease_expires_at < session.now, _forgettable(session.now))
    return session.scalar(select(Upload.key).where(due).limit(1)) is not None


def take_over(session: Transaction, settings: Settings) -> list[Receiving]:
    """Hold, under a new lease, what nobody keeps any more: to delete its bytes, then to abandon it."""
    given_up = select(Upload).where(Upload.lease_expires_at < session.now).limit(100)
    rows = session.scalars(given_up.with_for_update(skip_locked=True)).all()
    taken = [Receiving(row.owner, row.key, hold(session, settings, row), row.job_id) for row in rows]
    session.flush()
    return taken


def forget_job(session: Transaction, job_id: str) -> None:
    """Forget the key that made a job, with the job: it is free again."""
    session.execute(delete(Upload).where(Upload.job_id == job_id, Upload.fingerprint.is_not(None)))


def forget(session: Transaction) -> None:
    """Forget keys that are no longer honoured."""
    session.execute(delete(Upload).where(_forgettable(session.now)))


def _forgettable(now: datetime) -> ColumnElement[bool]:
    return and_(Upload.fingerprint.is_not(None), Upload.begun_at < now - REMEMBERED)


def _digest(owner: str, key: str) -> str:
    """What is kept of a client's key, which may say whose photos they are."""
    return hashlib.sha256(f"{owner}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()


def _in_use() -> Conflict:
    return Conflict(Code.IDEMPOTENCY_KEY_IN_USE, "another request with this Idempotency-Key is under way")
