"""What SQLite's files still hold of rows that were deleted, and how it goes.

What is deleted is zeroed where it lay (`secure_delete`). But earlier versions of its pages stay in the
write-ahead log until that is emptied, which nobody may be reading then. And a row that was moved between
pages may leave its bytes in a gap: these end when the file is written anew. A small one is, at once; a
larger one by the sweeper, when nothing is at work.

PostgreSQL keeps deleted rows until it vacuums, and its log for as long as its operator has it.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from nightshift.words.states import JobState
from shared.db.engine import Database
from shared.db.tables import ClockRow, Erasure, Job

SMALL_BYTES = 32_000_000
"""A file of this size is written anew well within a second."""

LARGEST_BYTES = 1_000_000_000
"""A larger one would keep others waiting for longer than they have patience."""

PATIENCE_MS = 1000
ATTEMPTS = 3
PAUSE_S = 0.05
"""How long, and how often, others are waited for who read the log; after that it is tried again later."""

_NAME = "rewritten"
_AT_WORK = (JobState.UNPACKING, JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING)


def forget_deleted(database: Database) -> bool:
    """Have no copy left of what was deleted, but for gaps in a large file.

    Returns:
        False while others read or write, and it is to be tried again.

    Raises:
        Transient: `database_unavailable`.
    """
    if not database.is_sqlite:
        return True
    with database.apart(PATIENCE_MS) as cursor:
        # Of so few bytes no copy need lie in the temporary folder.
        cursor.execute("PRAGMA temp_store=MEMORY")
        is_rewritten = database.size_bytes > SMALL_BYTES or not _has_room(database)
        for _ in range(ATTEMPTS):
            is_rewritten = is_rewritten or _written_anew(cursor)
            if is_rewritten and _empty_log(cursor):
                return True
            time.sleep(PAUSE_S)
    return False


def rewrite_if_due(database: Database) -> bool:
    """Write a larger file anew when a job was erased since it was last done, and nothing is at work.

    Raises:
        Transient: `database_unavailable`.
    """
    if not database.is_sqlite or not SMALL_BYTES < database.size_bytes <= LARGEST_BYTES:
        return False
    with database.read() as session:
        if not _is_due(session) or not _has_room(database):
            return False
    with database.apart(PATIENCE_MS) as cursor:
        if not _written_anew(cursor):
            return False
        _empty_log(cursor)
    with database.write() as session:
        session.merge(ClockRow(name=_NAME, believed_at=session.now, seen_at=session.now))
    return True


def _is_due(session: Session) -> bool:
    last = session.get(ClockRow, _NAME)
    erased = select(Erasure.job_id).where(Erasure.completed_at.is_not(None))
    if last is not None:
        erased = erased.where(Erasure.completed_at > last.believed_at)
    at_work = select(Job.id).where(Job.state.in_(_AT_WORK))
    return session.scalar(erased.limit(1)) is not None and session.scalar(at_work.limit(1)) is None


def _has_room(database: Database) -> bool:
    """For a copy, and for the log that the copy passes through."""
    return database.folder is not None and shutil.disk_usage(database.folder).free > 3 * database.size_bytes


def _written_anew(cursor: Any) -> bool:
    """Write the file anew; False when others have the database. What there is no room for is left undone."""
    return _tried(cursor, "VACUUM") not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _empty_log(cursor: Any) -> bool:
    """Write what the log holds where it belongs, and cut it off; False when somebody still reads it."""
    return _tried(cursor, "PRAGMA wal_checkpoint(TRUNCATE)") == sqlite3.SQLITE_OK and not cursor.fetchone()[0]


def _tried(cursor: Any, statement: str) -> int:
    """Execute; an error's code where others have the database, or there is no room."""
    try:
        cursor.execute(statement)
    except sqlite3.OperationalError as error:
        # Without what SQLite adds to it.
        primary = error.sqlite_errorcode & 0xFF
        if primary not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL):
            raise
        return primary
    return sqlite3.SQLITE_OK
