"""Opening an archive as what its bytes say it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from nightshift.words.archive_kinds import ArchiveKind
from nightshift.words.pairs import PairsWish
from shared.archives.member import Limits
from shared.archives.tar_archive import TarArchive
from shared.archives.zip_archive import ZipArchive


def open_archive(
    file: BinaryIO,
    kind: ArchiveKind,
    limits: Limits,
    progress: Callable[[], None] = lambda: None,
    pairs: PairsWish = "both",
) -> ZipArchive | TarArchive:
    """An archive, its directory or its beginning read.

    Args:
        file: seekable.
        kind: as `kind_of_archive` found.
        limits: what it may have.
        pairs: what becomes of RAW+JPEG of one name in a zip; in a tar, without a directory, each is a photo.
        progress: called while much is read of which nothing comes; what it raises ends the reading.

    Raises:
        InvalidInput: `unreadable_archive`, `unsupported_archive`, `archive_limit`.
    """
    if kind == "zip":
        return ZipArchive(file, limits, pairs)
    return TarArchive(file, limits, gzipped=kind == "tar.gz", progress=progress)
