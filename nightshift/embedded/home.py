"""The home folder: private, and held by one runner at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

from nightshift.machine import root_key
from nightshift.machine.durable import is_not_supported, make_private, without
from nightshift.machine.home import LOCK
from nightshift.machine.privacy import is_somebody_elses, who_else_writes
from nightshift.machine.process_id import is_surely_dead, own_process_id
from nightshift.machine.served import HOLDS
from nightshift.screen import say
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput

_HELD = frozenset({errno.EWOULDBLOCK, errno.EAGAIN})
_WAIT = "wait until it has ended"
_TO_DO = {
    HOLDS: "`nightshift submit` sends it photos",
    "run": _WAIT,
    "runs --drop": _WAIT,
}
"""What else to do than name another home, by the command that holds one."""
_OURS = frozenset({LOCK, "nightshift.db", root_key.FILE})


class Home:
    """A home, locked from `with` to its end; the kernel drops the lock of a runner that dies.

    Args:
        path: absolute path; made if it is not there.
        command: of `nightshift` that holds it, for whoever comes meanwhile; empty for another program.

    Raises:
        InvalidInput: `bad_home`, when it cannot be made or holds something else.
        Conflict: `home_in_use`, naming the process that has it, and what to do.
    """

    def __init__(self, path: Path, command: str = "") -> None:
        self.path = path
        self._command = command
        self._lock_fd = -1

    def __enter__(self) -> Self:
        _make_private(self.path)
        self._lock_fd = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        held = os.pread(self._lock_fd, 400, 0).decode("utf-8", "replace")
        holder, _, command = held.strip().partition("\n")
        try:
            taken = not _locked(self._lock_fd, holder)
        except OSError as error:
            os.close(self._lock_fd)
            reason = f"home {self.path}: it cannot be locked: {error.strerror}"
            raise InvalidInput(Code.BAD_HOME, reason) from error
        if taken:
            os.close(self._lock_fd)
            raise Conflict(Code.HOME_IN_USE, _in_use(self.path, holder.partition(" ")[0], command))
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, f"{os.getpid()} {own_process_id()}\n{self._command}\n".encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        # Where there are no locks, it is this that says that nobody is here.
        with suppress(OSError):
            os.ftruncate(self._lock_fd, 0)
        os.close(self._lock_fd)


def _in_use(path: Path, process: str, command: str) -> str:
    """What that process is, as far as it has said so, and what to do."""
    # A version before did not name the command.
    known = f", `nightshift {command}`" if command in _TO_DO else ""
    by = f"process {process}{known}" if process else "another process"
    return f"{path} is in use by {by}: {_TO_DO.get(command, _WAIT)}, or name another home with --home"


def _locked(descriptor: int, holder: str) -> bool:
    """Take the lock; False when another process has it.

    Args:
        descriptor: of the lock's file.
        holder: what the last to hold it wrote there.

    Raises:
        OSError: locks break here.
    """
    # flock first: POSIX locks are dropped when any descriptor of the file is closed.
    for lock in (fcntl.flock, fcntl.lockf):
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # For POSIX locks EACCES is a word for "held", too.
            if error.errno in _HELD or (lock is fcntl.lockf and error.errno == errno.EACCES):
                return False
            if not is_not_supported(error) and error.errno != errno.ENOLCK:
                raise
            without("lock files", error)
        else:
            return True
    # What is left is the word of the one before, which is dead as far as can be told or has taken it back.
    return not holder or is_surely_dead(holder.partition(" ")[2])


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()}
        if names and not names & _OURS:
            raise InvalidInput(Code.BAD_HOME, f"{path} is no Nightshift home: it holds other files")
        if os.geteuid() and is_somebody_elses(path):
            raise InvalidInput(Code.BAD_HOME, f"home {path} belongs to somebody else: name another")
        make_private(path)
        if who := who_else_writes(path):
            say(f"{who} may write to the home {path}, and so replace what is in it: its key, its results")
    except OSError as error:
        raise InvalidInput(Code.BAD_HOME, f"home {path}: {error.strerror}") from error


def make_private_folder(path: Path) -> None:
    """A folder that only this user can enter, also under a shared one such as the temporary folder.

    Raises:
        InvalidInput: `bad_home`, when somebody else made it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise InvalidInput(Code.BAD_HOME, f"{path} belongs to somebody else")
    make_private(path)
