"""Files that are there whole, or as they were before: also after a crash, or a power cut."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from nightshift.machine.durable import replace_file, sync

MODE = 0o666
"""Of new files, less what the umask takes away."""

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def replacing(path: Path, *, mode: int = MODE, synced: bool = True) -> Iterator[BinaryIO]:
    """A file that takes `path`'s place when it is complete and on the disk; on an error nothing changes.

    What is no file, such as a pipe or a device, is written to as it is.

    Args:
        path: of the file.
        mode: for a new file.
        synced: False for what can be made again, and is written by the thousand.

    Raises:
        OSError: also where `path` is a folder, before anything is done.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    with _beside(path) as temporary:
        with _new(temporary, mode) as file:
            yield file
        put_in_place(temporary, path, synced=synced)


def put_in_place(written: Path, path: Path, *, synced: bool = True) -> None:
    """Give a file that has been written beside it `path`'s place, when it is on the disk.

    Raises:
        OSError: it cannot be done; the earlier file is there.
    """
    if synced:
        sync(written)
    replace_file(written, path)
    if synced:
        sync(path.parent)


def write_new(path: Path, data: bytes, *, mode: int = MODE) -> None:
    """Write a file that nobody looks for yet, and have it on the disk.

    Raises:
        FileExistsError: it is there already.
        OSError: it cannot be written.
    """
    with _new(path, mode) as file:
        file.write(data)
    sync(path)


def create_whole(path: Path, data: bytes, *, mode: int = MODE) -> bool:
    """Write a file where there is none; False where there is one. Of several processes, one makes it.

    On a file system without links a reader may see the first part of it alone for a moment.

    Raises:
        OSError: it cannot be written.
    """
    with _beside(path) as temporary:
        write_new(temporary, data, mode=mode)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            try:
                write_new(path, data, mode=mode)
            except FileExistsError:
                return False
        sync(path.parent)
        return True


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name in the same folder; what is there in the end is removed."""
    # The file's own name may be as long as a name can be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _new(path: Path, mode: int) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb")
