"""Files for the owner alone: how every process makes them, and which are not so."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

UMASK = 0o077
"""What others may not: anything. For gunicorn, which sets its own: `api.gunicorn_hooks`."""

MOST_LOOKED_AT = 100_000
"""Files of a store that are looked at: a large one would keep its operator waiting."""


def keep_files_private() -> None:
    """Make files and folders of this process, and of those it starts, for the owner alone.

    Called where a process begins. What is there already is left as it is: see `open_to_others`.
    """
    os.umask(UMASK)


def open_to_others(paths: Iterable[Path]) -> Iterator[Path]:
    """Files and folders, these and those below, that their group or anybody may read, write or enter."""
    for path in islice(_below(paths), MOST_LOOKED_AT):
        with suppress(OSError):
            if stat.S_IMODE(path.lstat().st_mode) & UMASK and not path.is_symlink():
                yield path


def who_else_writes(folder: Path) -> str | None:
    """Who beside this user may put files in the place of those in a folder, in words for a person.

    Returns:
        None for nobody but root.

    Raises:
        OSError: it is not there.
    """
    found = folder.stat()
    if is_somebody_elses(folder):
        return f"user {found.st_uid}, whose folder it is,"
    if found.st_mode & stat.S_IWOTH:
        return "everybody"
    return f"everybody in group {found.st_gid}" if found.st_mode & stat.S_IWGRP else None


def is_somebody_elses(folder: Path) -> bool:
    """Whether a folder belongs to neither this user nor root.

    Raises:
        OSError: it is not there.
    """
    return folder.stat().st_uid not in {os.geteuid(), 0}


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.exists():
            yield path
            for folder, folders, files in os.walk(path):
                yield from (Path(folder, name) for name in (*folders, *files))
