"""Where the service of a home answers: written down by `nightshift serve`, read by the commands of that home.

A service that was killed leaves its word behind, and anybody may listen on its port since. So it is believed
only of the process that holds the home as `serve`, and while that one lives, which Linux tells.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nightshift.machine.home import LOCK
from nightshift.machine.process_id import is_surely_alive, own_process_id
from nightshift.machine.whole_files import replacing

FILE = "served_at"
HOLDS = "serve"
"""The command that holds a home whose service is for others."""

_MOST_BYTES = 4096


@contextmanager
def announced(home: Path, url: str) -> Iterator[None]:
    """Have commands of this home find a service that this process keeps, until the block ends.

    Args:
        home: held by this process as `HOLDS`.
        url: base URL, by which this machine reaches it.

    Raises:
        OSError: it cannot be written.
    """
    path = home / FILE
    # What a power cut leaves of it is believed no more than the rest.
    with replacing(path, mode=0o600, synced=False) as file:
        file.write(f"{url}\n{own_process_id()}\n".encode())
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def served_at(home: Path) -> str:
    """Base URL of the service that runs on this home, on this machine; empty where none is known to."""
    with suppress(OSError, ValueError):
        url, process_id = _lines_of(home / FILE)
        holder, command = _lines_of(home / LOCK)
        if command == HOLDS and holder.partition(" ")[2] == process_id and is_surely_alive(process_id):
            return url
    return ""


def _lines_of(path: Path) -> list[str]:
    """Of a file that is ours: whoever else wrote it would choose where photos are sent."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in {os.getuid(), 0}:
            return []
        return os.read(fd, _MOST_BYTES).decode().splitlines()
    finally:
        os.close(fd)
