"""Which archives are read, and which of them a file is by its bytes; its name is no evidence."""

from __future__ import annotations

from typing import BinaryIO, Literal

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.signatures import BEGINNING_BYTES, kind_of_file
from nightshift.words.tar_block import begins_a_tar
from nightshift.words.zip_directory import has_directory

ArchiveKind = Literal["zip", "tar", "tar.gz"]
_READ: dict[str, ArchiveKind] = {"zip": "zip", "gzip": "tar.gz", "split zip": "zip"}
_PACKED_TARS = frozenset({"bzip2", "xz", "zstd", "lz4", "lzip", "lzma", "compress (.Z)"})


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
