"""Opening an archive as what its first bytes say it is; its name is no evidence."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

from shared.archives.member import Limits, Member
from shared.archives.tar_archive import TarArchive
from shared.archives.zip_archive import SIGNATURES, ZipArchive
from shared.errors import InvalidInput

ArchiveKind = Literal["zip", "tar", "tar.gz"]
_GZIP = b"\x1f\x8b"


class OpenArchive(Protocol):
    """An archive that can be read."""

    def members(self) -> Iterator[Member]:
        """Every member, from the first."""


def kind_of_archive(beginning: bytes) -> ArchiveKind:
    """What the first 512 bytes or more belong to.

    Raises:
        InvalidInput: `unsupported_archive`.
    """
    if beginning.startswith(SIGNATURES):
        return "zip"
    if beginning.startswith(_GZIP):
        return "tar.gz"
    try:
        tarfile.TarInfo.frombuf(beginning[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        message = "the archive is neither zip, tar nor tar.gz"
        raise InvalidInput("unsupported_archive", message) from error
    return "tar"


def open_archive(file: BinaryIO, kind: ArchiveKind, limits: Limits) -> OpenArchive:
    """An archive, its directory or its beginning read.

    Args:
        file: seekable.
        kind: as `kind_of_archive` found.
        limits: what it may have.

    Raises:
        InvalidInput: `unreadable_archive`, `archive_limit`.
    """
    if kind == "zip":
        return ZipArchive(file, limits)
    file.seek(0, 2)
    size_bytes = file.tell()
    file.seek(0)
    return TarArchive(file, limits, gzipped=kind == "tar.gz", size_bytes=size_bytes)
