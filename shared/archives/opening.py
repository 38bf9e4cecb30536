"""Opening an archive as what its bytes say it is; its name is no evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, Protocol

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.signatures import BEGINNING_BYTES, kind_of_file
from shared.archives.member import Limits, Member
from shared.archives.tar_archive import TarArchive
from shared.archives.tar_header import begins_a_tar
from shared.archives.zip_archive import ZipArchive
from shared.archives.zip_directory import has_directory

ArchiveKind = Literal["zip", "tar", "tar.gz"]
_READ: dict[str, ArchiveKind] = {"zip": "zip", "gzip": "tar.gz", "split zip": "zip"}
_PACKED_TARS = frozenset({"bzip2", "xz", "zstd", "lz4", "lzip", "lzma", "compress (.Z)"})


class OpenArchive(Protocol):
    """An archive that can be read."""

    def members(self, first: int = 0) -> Iterator[Member]:
        """Every member from position `first`; to be asked for once."""


def kind_of_archive(beginning: bytes) -> ArchiveKind:
    """What the first 512 bytes or more belong to.

    Raises:
        InvalidInput: `unsupported_archive`, which names what they do belong to.
    """
    kind = perhaps_kind_of_archive(beginning)
    if kind is None:
        raise InvalidInput(Code.UNSUPPORTED_ARCHIVE, "the archive is neither zip, tar nor tar.gz")
    return kind


def perhaps_kind_of_archive(beginning: bytes) -> ArchiveKind | None:
    """As `kind_of_archive`, but None where only the end can tell: what unpacks itself is a zip, too."""
    if begins_a_tar(beginning[:BEGINNING_BYTES]):
        return "tar"
    kind = kind_of_file(beginning)
    if kind is None:
        return None
    if kind.name in _READ:
        return _READ[kind.name]
    if kind.name in _PACKED_TARS:
        todo = "unpack it, and send the tar or the photos in it"
    elif kind.sort == "archive":
        todo = "unpack it, and send the photos as a folder, a zip, a tar or a tar.gz"
    else:
        todo = "an archive is a zip, a tar or a tar.gz"
    raise InvalidInput(
        Code.UNSUPPORTED_ARCHIVE, f"this is {kind.name}, which is not read as an archive: {todo}"
    )


def kind_of_archive_file(file: BinaryIO) -> ArchiveKind:
    """What a whole file is, by its beginning and, where that says nothing, by its end.

    Raises:
        InvalidInput: `unsupported_archive`.
    """
    file.seek(0)
    beginning = file.read(BEGINNING_BYTES)
    kind = perhaps_kind_of_archive(beginning)
    if kind is None and has_directory(file):
        kind = "zip"
    return kind or kind_of_archive(beginning)


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
