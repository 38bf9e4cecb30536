"""Files that survive a power cut, as far as the file system takes part: shares and FUSE often do not.

What a file system does not have is told once a process, and gone without. What breaks (no room, an error of
the disk) is raised.
"""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

_NOT_THERE = frozenset(
    {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EPERM, errno.ENOTTY}
)
_NOT_A_FILE = _NOT_THERE | {errno.EISDIR, errno.EBADF}
_IN_THE_WAY = frozenset({errno.EEXIST, errno.EACCES, errno.EPERM, errno.EBUSY, errno.ENOTSUP, errno.EINVAL})
_told: set[str] = set()


def is_not_supported(error: OSError) -> bool:
    """Whether an error means that the file system has no such thing, rather than that it broke."""
    return error.errno in _NOT_THERE


def without(what: str, error: OSError) -> None:
    """Tell, once a process, that a file system lacks something and that it is gone without."""
    if what not in _told:
        _told.add(what)
        log.warning("the file system cannot %s: going on without", what, extra={"reason": error.strerror})


def sync(path: Path) -> None:
    """Have the disk itself write a file, or a folder's names: these when what they name has been written.

    Raises:
        OSError: the disk is full, or broken.
    """
    what = "folders" if path.is_dir() else "files"
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in (_NOT_A_FILE if what == "folders" else _NOT_THERE):
            raise
        without(f"write {what} through to the disk", error)


def replace_file(new: Path, path: Path) -> None:
    """Give a file another's name, in its place; where a share cannot do that at once, in three steps.

    Raises:
        OSError: it cannot be done; the earlier file is there.
    """
    try:
        new.replace(path)
        return
    except OSError as error:
        if error.errno not in _IN_THE_WAY or not path.is_file():
            raise
        without("replace a file in one step", error)
    aside = new.with_name(f"{new.name}.old")
    path.rename(aside)
    try:
        new.rename(path)
    except OSError:
        aside.rename(path)
        raise
    with suppress(OSError):
        aside.unlink()


def make_private(path: Path) -> None:
    """Let only this user in, where the file system knows of users.

    Raises:
        OSError: it is not ours.
    """
    try:
        path.chmod(0o700)
    except OSError as error:
        # Of another user's folder, too, this is what is answered.
        if not is_not_supported(error) or path.stat().st_uid != os.geteuid():
            raise
        without("keep others out (chmod)", error)
