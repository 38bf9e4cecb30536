"""The home folder: private, and held by one runner at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import Self

from shared import root_key
from shared.errors import Conflict, InvalidInput

LOCK = "lock"
_OURS = frozenset({LOCK, "nightshift.db", root_key.FILE})


class Home:
    """A home, locked from `with` to its end; the kernel drops the lock of a runner that dies.

    Args:
        path: absolute path; made if it is not there.

    Raises:
        InvalidInput: `bad_home`, when it cannot be made or holds something else.
        Conflict: `home_in_use`, naming the process that has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd = -1

    def __enter__(self) -> Self:
        _make_private(self.path)
        # flock, not POSIX locks: those are dropped when any descriptor of the file is closed.
        self._lock_fd = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock_fd, 32, 0).decode("ascii", "replace").strip() or "another process"
            os.close(self._lock_fd)
            raise Conflict("home_in_use", f"{self.path} is in use by process {holder}") from error
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock_fd)


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()}
        if names and not names & _OURS:
            raise InvalidInput("bad_home", f"{path} is no Nightshift home: it holds other files")
        path.chmod(0o700)
    except OSError as error:
        raise InvalidInput("bad_home", f"home {path}: {error.strerror}") from error


def make_private_folder(path: Path) -> None:
    """A folder that only this user can enter, also under a shared one such as the temporary folder.

    Raises:
        InvalidInput: `bad_home`, when somebody else made it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InvalidInput("bad_home", f"{path} belongs to somebody else")
    path.chmod(0o700)
