"""API keys: whose jobs a caller sees and what they may do. A key is shown once; its digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NotFound
from nightshift.words.ids import new_id
from nightshift.words.owners import LOCAL, check_owner
from nightshift.words.scopes import Scope
from shared.db.engine import Transaction
from shared.db.tables import Key
from shared.queue import audit

_PREFIX = "nsk_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request.

    Attributes:
        owner: whose jobs these are.
        scopes: what they may do.
        key_id: of the key they brought; empty for the root key, and for who came without one.
        person: whom an OpenID provider has signed in, by the provider's name for them; empty for a key.
    """

    owner: str
    scopes: frozenset[Scope]
    key_id: str = ""
    person: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the scope, or `admin`, is among theirs."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


ROOT = Caller(LOCAL, frozenset({Scope.ADMIN}))


def make_key(
    session: Transaction,
    *,
    name: str,
    owner: str,
    scopes: Collection[Scope],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    """Add a key; returns its row and the key itself, which nobody can be shown again."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = Key(
        id=new_id("key"),
        name=name,
        owner=check_owner(owner),
        scopes=sorted(set(scopes)),
        sha256=digest_of(secret.encode()),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    audit.note(session, "make_key", owner, row.id)
    session.flush()
    return row, secret


def valid_digests(session: Session) -> frozenset[str]:
    """Digests of every key that was not revoked."""
    return frozenset(session.scalars(select(Key.sha256).where(Key.revoked_at.is_(None))))


def find_caller(session: Session, digest: str, now: datetime) -> Caller | None:
    """Who has the key of this digest; None for one that is unknown or revoked.

    Raises:
        InvalidInput: `key_expired`.
    """
    return _caller(session.scalar(select(Key).where(Key.sha256 == digest, Key.revoked_at.is_(None))), now)


def caller_of_key(session: Session, key_id: str, now: datetime) -> Caller | None:
    """Who has the key of this id; None for one that is unknown or revoked.

    Raises:
        InvalidInput: `key_expired`.
    """
    return _caller(session.scalar(select(Key).where(Key.id == key_id, Key.revoked_at.is_(None))), now)


def _caller(row: Key | None, now: datetime) -> Caller | None:
    if row is None:
        return None
    if row.expires_at is not None and row.expires_at <= now:
        raise InvalidInput(
            Code.KEY_EXPIRED, f"the key {row.id} expired at {row.expires_at:%Y-%m-%d %H:%M} UTC"
        )
    # One whose scopes this version does not know is good for the others.
    scopes = frozenset(Scope(scope) for scope in row.scopes if scope in set(Scope))
    return Caller(row.owner, scopes, row.id)


def note_use(session: Session, key_id: str, now: datetime, every: timedelta) -> None:
    """Write down that a key is used, unless another process has within that time."""
    seldom = or_(Key.last_used_at.is_(None), Key.last_used_at <= now - every)
    session.execute(update(Key).where(Key.id == key_id, seldom).values(last_used_at=now))


def list_keys(session: Session) -> list[Key]:
    """Every key, the newest first."""
    return list(session.scalars(select(Key).order_by(Key.created_at.desc(), Key.id.desc())))


def revoke_key(session: Transaction, key_id: str, now: datetime) -> Key:
    """End a key's use at once; again is no error.

    Raises:
        NotFound: `key_not_found`.
    """
    row = session.scalar(select(Key).where(Key.id == key_id).with_for_update())
    if row is None:
        raise NotFound(Code.KEY_NOT_FOUND, f"no key {key_id}")
    if row.revoked_at is None:
        row.revoked_at = now
        audit.note(session, "revoke_key", row.owner, row.id)
    return row


def digest_of(secret: bytes) -> str:
    """What is kept of a key: 256 bits of chance need no slow hash, since there is nothing to guess."""
    return hashlib.sha256(secret).hexdigest()
