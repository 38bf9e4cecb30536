"""Opening an archive as what its bytes say it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from nightshift.words.archive_kinds import ArchiveKind
from shared.archives.member import Limits, Member
from shared.archives.tar_archive import TarArchive
from shared.archives.zip_archive import ZipArchive


class OpenArchive(Protocol):
    """An archive that can be read."""

    def members(self, first: int = 0) -> Iterator[Member]:
        """Every member from position `first`; to be asked for once."""


def open_archive(
    file: BinaryIO, kind: ArchiveKind, limits: Limits, progress: Callable[[], None] = lambda: None
) -> OpenArchive:
    """An archive, its directory or its beginning read.

    Args:
        file: seekable.
        kind: as `kind_of_archive` found.
        limits: what it may have.
        progress: called while much is read of which nothing comes; what it raises ends the reading.

    Raises:
        InvalidInput: `unreadable_archive`, `unsupported_archive`, `archive_limit`.
    """
    if kind == "zip":
        return ZipArchive(file, limits)
    file.seek(0, 2)
    size_bytes = file.tell()
    file.seek(0)
    return TarArchive(file, limits, gzipped=kind == "tar.gz", size_bytes=size_bytes, progress=progress)
