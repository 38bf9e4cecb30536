"""API keys: whose jobs a caller sees and what they may do. A key is shown once; its digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.engine import Database
from shared.db.models import Key
from shared.errors import InvalidInput, NotFound, Transient
from shared.ids import new_id

LOCAL = "local"
"""Owner of what is done with the root key, or on this machine without one."""

_PREFIX = "nsk_"
_OWNER = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Scope(StrEnum):
    """What a key is good for; `admin` includes the others."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request.

    Attributes:
        owner: whose jobs these are.
        scopes: what they may do.
        key_id: of the key they brought; empty for the root key and for none.
    """

    owner: str
    scopes: frozenset[Scope]
    key_id: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the scope, or `admin`, is among theirs."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


ROOT = Caller(LOCAL, frozenset(Scope))


def check_owner(owner: str) -> str:
    """An owner's name, which is also a folder of the store.

    Raises:
        ValueError: it is not of 1 to 64 small letters, digits, `.`, `_` and `-`, or begins with a sign.
    """
    if not _OWNER.fullmatch(owner):
        raise ValueError("must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit")
    return owner


def make_key(
    session: Session, *, name: str, owner: str, scopes: Collection[Scope], now: datetime
) -> tuple[Key, str]:
    """Add a key; returns its row and the key itself, which nobody can be shown again."""
    # 256 bits of chance need no slow hash: there is nothing to guess.
    secret = _PREFIX + secrets.token_urlsafe(32)
    row = Key(
        id=new_id("key"),
        name=name,
        owner=check_owner(owner),
        scopes=sorted(set(scopes)),
        sha256=_digest(secret),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row, secret


def is_of_the_database(secret: str) -> bool:
    """Whether this reads like a key of the database."""
    return secret.startswith(_PREFIX)


def find_caller(session: Session, secret: str) -> Caller | None:
    """Who has this key; None for one that is unknown or revoked."""
    digest = _digest(secret)
    row = session.scalar(select(Key).where(Key.sha256 == digest, Key.revoked_at.is_(None)))
    if row is None or not hmac.compare_digest(row.sha256, digest):
        return None
    return Caller(row.owner, frozenset(map(Scope, row.scopes)), row.id)


def list_keys(session: Session) -> list[Key]:
    """Every key, the newest first."""
    return list(session.scalars(select(Key).order_by(Key.created_at.desc(), Key.id.desc())))


def revoke_key(session: Session, key_id: str, now: datetime) -> Key:
    """End a key's use at once; again is no error.

    Raises:
        NotFound: `key_not_found`.
    """
    row = session.scalar(select(Key).where(Key.id == key_id).with_for_update())
    if row is None:
        raise NotFound("key_not_found", f"no key {key_id}")
    row.revoked_at = row.revoked_at or now
    return row


def has_admin_key(session: Session, *, also_revoked: bool = False) -> bool:
    """Whether anybody can, or ever could, administer this service with a key of the database."""
    query = select(Key.scopes)
    if not also_revoked:
        query = query.where(Key.revoked_at.is_(None))
    return any(Scope.ADMIN in scopes for scopes in session.scalars(query))


def require_admin_key(database: Database, host: str) -> None:
    """Refuse to serve others, on `host`, when nobody has a key.

    Raises:
        InvalidInput: `api_key_required`.
        Transient: `database_unavailable`: only the database could tell.
    """
    try:
        with database.read() as session:
            found = has_admin_key(session)
    except Transient as error:
        if error.code != "schema_outdated":
            raise
        found = False
    if not found:
        message = (
            "set NIGHTSHIFT_API_KEY, or make a key with the scope admin, to serve more than this machine, on"
        )
        raise InvalidInput("api_key_required", f"{message} {host}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
