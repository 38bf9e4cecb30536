"""A file beside SQLite's that takes up room until an erasure needs it.

On a disk that is full to the last byte nothing could be deleted: even that is written to the log first.
So room is set aside while there is some, and given up when an erasure, or what leads to one, finds none.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from nightshift.machine import room
from nightshift.words.error_codes import Code
from nightshift.words.errors import NoRoom, Transient
from shared.db.engine import Database

BALLAST_BYTES = 64_000_000
"""Enough to delete some ten thousand photos; of a small disk, a twentieth."""

PIECE_BYTES = 1_000_000

Done = TypeVar("Done")


def keep(database: Database) -> None:
    """Set room aside where it is not, and can be; called by sweepers."""
    path = _path(database)
    if path is None or path.exists():
        return
    size_bytes = min(BALLAST_BYTES, shutil.disk_usage(path.parent).total // 20)
    if size_bytes == 0 or room.is_full(path.parent, size_bytes):
        return
    try:
        with path.open("xb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size_bytes)
            else:
                # macOS. A hole would take up no room.
                for _ in range(size_bytes // PIECE_BYTES):
                    file.write(bytes(PIECE_BYTES))
    except OSError:
        with suppress(OSError):
            path.unlink()


def with_room(
    database: Database, call: Callable[[], Done], make_more: Callable[[], object] | None = None
) -> Done:
    """Call; should the database's disk be full, give up the ballast and call again.

    Args:
        database: that `call` writes to.
        call: one transaction.
        make_more: makes room in another way, where the ballast was not enough.

    Raises:
        Transient: as `call` does, when there is no room still.
    """
    for make_room in (partial(_give_up, database), make_more):
        try:
            return call()
        except Transient as error:
            if make_room is None or not _is_for_want_of_room(database, error):
                raise
        make_room()
    return call()


def _is_for_want_of_room(database: Database, error: Transient) -> bool:
    """SQLite has several words for it, some of which mean other things, too."""
    if not isinstance(error, NoRoom) and error.code != Code.DATABASE_UNAVAILABLE:
        return False
    return room.is_full(database.folder)


def _give_up(database: Database) -> None:
    if (path := _path(database)) is not None:
        path.unlink(missing_ok=True)


def _path(database: Database) -> Path | None:
    return database.file.with_name(f"{database.file.name}-ballast") if database.file else None
