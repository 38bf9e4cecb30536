"""Which keys there are: the root key, and digests of the database's, so that made-up ones cost no query."""

from __future__ import annotations

import hmac
import threading
import time
from hashlib import sha256

from nightshift.words.clock import utc_now
from nightshift.words.errors import Transient
from shared.db.engine import Database
from shared.operations.keys import ROOT, Caller, digest_of, find_caller, valid_digests

FRESH_S = 1.0
"""How long ago the digests may have been read when a key is not among them."""


class KnownKeys:
    """Finds the caller of a key. Shared between threads.

    The digests say who may be somebody at all; who it is says the database with each request, so that a
    revoked key is refused by the next. A key that another API process has just made is known within a second.

    Args:
        root: the root key.
        database: where the others are.
    """

    def __init__(self, root: str, database: Database) -> None:
        self._root = sha256(root.encode()).digest()
        self._database = database
        self._digests: frozenset[str] | None = None
        self._read_at_s = -FRESH_S
        self._made = self._read_made = 0
        self._reading = threading.Lock()

    def find(self, sent: bytes) -> Caller | None:
        """Who has this key; None for one that is unknown or revoked.

        Raises:
            InvalidInput: `key_expired`.
            Transient: `database_unavailable`, and the key is not the root key.
        """
        if hmac.compare_digest(sha256(sent).digest(), self._root):
            return ROOT
        digest = digest_of(sent)
        if digest not in self._known(digest):
            return None
        with self._database.read() as session:
            return find_caller(session, digest, utc_now())

    def forget(self) -> None:
        """Read the digests anew: this process has made a key."""
        self._made += 1
        self._read_at_s = -FRESH_S

    def _known(self, digest: str) -> frozenset[str]:
        known = self._digests
        is_behind = known is None or self._made != self._read_made
        if known is not None and digest in known:
            return known
        if not is_behind and time.monotonic() - self._read_at_s < FRESH_S:
            return known or frozenset()
        # Whoever finds another reading is content with what is known, unless a key was made here since.
        if not self._reading.acquire(blocking=is_behind):
            return known or frozenset()
        try:
            if self._digests is None or time.monotonic() - self._read_at_s >= FRESH_S:
                self._read_at_s, made = time.monotonic(), self._made
                with self._database.read() as session:
                    self._digests = valid_digests(session)
                self._read_made = made
        except Transient:
            if self._digests is None:
                raise
        finally:
            self._reading.release()
        return self._digests or frozenset()
