"""Room on a disk: what new bytes must leave free, so that results can be saved and jobs be erased."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path

from nightshift.words.error_codes import Code
from nightshift.words.errors import NoRoom

RESERVE_BYTES = 200_000_000
"""Left free by whatever brings new bytes; of a small disk, a tenth."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_TEXT = re.compile(rf"\(os error ({errno.ENOSPC}|{errno.EDQUOT})\)")


def is_full(folder: Path | None, more_bytes: int = 0) -> bool:
    """Whether `more_bytes` would leave less than the reserve; never of what is no folder of this machine."""
    if folder is None:
        return False
    left_bytes = shutil.disk_usage(folder).free - more_bytes
    if left_bytes >= RESERVE_BYTES:
        return False
    disk = os.statvfs(folder)
    return left_bytes < disk.f_blocks * disk.f_frsize // 10


def require_room(folder: Path | None, more_bytes: int = 0) -> None:
    """Refuse new bytes before the disk is full, while there is room to erase.

    Raises:
        NoRoom: `store_full`.
    """
    if folder is not None and is_full(folder, more_bytes):
        raise store_full(
            f"{more_bytes:,} bytes more would fill it" if more_bytes else "hardly any room is left"
        )


def store_full(why: str) -> NoRoom:
    """There is no room: something has to be erased first."""
    return NoRoom(
        Code.STORE_FULL, f"the service's disk is full: {why}; erase jobs, or make room, and try again"
    )


def is_of_a_full_disk(error: BaseException) -> bool:
    """Whether an error of the system's, or one that quotes it, says that a disk or a quota is full."""
    return getattr(error, "errno", None) in _FULL or bool(_FULL_TEXT.search(str(error)))
