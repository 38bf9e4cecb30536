"""Folders of photos in place that are away for a while: a share that is gone, a stick that was pulled out.

Their photos are not to blame. They go back to the queue uncounted, and this process leaves photos in place
alone for a pause that grows; what was uploaded goes on. A single file that is gone, in a folder that is
there, is counted against its photo instead.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from nightshift.machine.pauses import Pauses
from nightshift.machine.places import path_of_text
from nightshift.words.photo_names import path_spelled_out
from shared.db.tables import Photo

log = logging.getLogger(__name__)

PAUSES = Pauses(first_s=0.5, longest_s=30.0)
_FOR_GOOD = frozenset({errno.ENAMETOOLONG, errno.ELOOP})
"""What is wrong with a name, and not with the share that it is on."""


class Extent(NamedTuple):
    """Where the photos of a job lie: the folder that holds all of them, and how many there are."""

    root: Path
    photos: int


def extent_of(session: Session, job_id: str) -> Extent:
    """Of names in order, the first and the last have in common what all have."""
    path = Photo.in_place_path
    if session.get_bind().dialect.name == "postgresql":
        # By their bytes: a language's order may pass over punctuation.
        path = path.collate("C")  # type: ignore[assignment]
    query = select(func.min(path), func.max(path), func.count(path)).where(Photo.job_id == job_id)
    first, last, photos = session.execute(query).one()
    if first is None or last is None:
        return Extent(Path("/"), 0)
    return Extent(Path(os.path.commonpath([path_of_text(text).parent for text in (first, last)])), photos)


def is_away(path: Path, extent: Extent) -> bool:
    """Whether a file cannot be read because a folder above it is out of reach, and not for its own sake."""
    try:
        holds = _holds_anything(extent.root)
        if holds is not True:
            # An empty folder is what is left of a share; of a single photo, what is left when it is deleted.
            return holds is None or extent.photos > 1
        inner = (folder for folder in path.parents if folder.is_relative_to(extent.root))
        return any(_holds_anything(folder) is None for folder in inner)
    except OSError:
        # Waiting for it would have no end.
        return False


def _holds_anything(folder: Path) -> bool | None:
    """False for a folder that is empty, or not there; None for one that cannot be looked into.

    Raises:
        OSError: there can be no such folder.
    """
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno in _FOR_GOOD:
            raise
        return None


class Folders:
    """What one process knows of folders that are away. Safe between threads: each step is a single write.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._again_at = 0.0
        self.extents: dict[str, Extent] = {}
        """Of the jobs lately met, by id."""
        self.tell: Callable[[str | None], None] = lambda _: None
        """Told the folder that is waited for, and None when it is back."""

    @property
    def may_be_read(self) -> bool:
        """False during a pause."""
        return self._clock() >= self._again_at

    def away(self, root: Path) -> None:
        """A batch found a folder away: begin a pause, longer than the last."""
        self._failures += 1
        pause_s = PAUSES.after(self._failures)
        self._again_at = self._clock() + pause_s
        # Without the folder: logs name no file.
        log.warning("a folder of photos is away", extra={"again_in_s": pause_s})
        if self._failures == 1:
            self.tell(path_spelled_out(root))

    def back(self) -> None:
        """A photo in place was read, or none is left to read."""
        if self._failures:
            self._failures, self._again_at = 0, 0.0
            log.info("photos in place are read again")
            self.tell(None)
