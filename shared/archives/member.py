"""One member of an archive, and whether it may become a photo."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal, Self

from shared.domain import PhotoError
from shared.errors import InvalidInput, Unreadable
from shared.photo_names import (
    ARCHIVE_EXTENSIONS,
    CUSTOM_ID_LIMIT,
    EXTENSIONS,
    extension_of,
    lies_in_such_a_folder,
    spelled_out,
)
from shared.settings import Settings

CHUNK_BYTES = 256 * 1024
_DRIVE = re.compile(r"[A-Za-z]:")

Form = Literal["file", "folder", "link", "device"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may have.

    Attributes:
        members: how many.
        total_bytes: of all members, unpacked.
        photo_bytes: of one member, unpacked.
        ratio: unpacked over packed size, of a member and of the whole.
    """

    members: int
    total_bytes: int
    photo_bytes: int
    ratio: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the service is configured."""
        return cls(
            members=settings.max_archive_members,
            total_bytes=settings.max_archive_bytes,
            photo_bytes=settings.max_photo_bytes,
            ratio=settings.max_archive_ratio,
        )

    def check_count(self, members: int) -> None:
        """Refuse too many members.

        Raises:
            InvalidInput: `archive_limit`.
        """
        if members > self.members:
            raise _over(f"{members:,} members; {self.members:,} may be in one archive")

    def check_size(self, unpacked_bytes: int, packed_bytes: int) -> None:
        """Refuse too much, or what grows too much; under ten megabytes nothing is too much.

        Raises:
            InvalidInput: `archive_limit`.
        """
        if unpacked_bytes > self.total_bytes:
            raise _over(f"over {self.total_bytes:,} bytes, unpacked")
        if unpacked_bytes > max(10_000_000, packed_bytes * self.ratio):
            raise _over(f"more than {self.ratio:g} times its packed size, unpacked")


def _over(what: str) -> InvalidInput:
    return InvalidInput("archive_limit", f"the archive has {what}")


class ArchiveBroken(Exception):
    """The archive cannot be read from here on; members before this are sound."""


Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Member:
    """What an archive says of a member, and what is to become of it.

    Attributes:
        position: 0 for the first.
        name: a label for the photo, storable, never a path.
        size_bytes: as declared, unpacked.
        packed_bytes: as declared, None where members are not packed one by one.
        error: why it becomes a failed photo, None when it is taken or left alone.
        left_alone: True when it is no photo and no failure: a folder, a system's file, another kind of file.
        other_kind: extension of another kind of file, left alone for it.
        chunks: its bytes, to be asked for once and before the next member; raises Unreadable
            (`archive_member_damaged`, `file_too_large`) for this member, `ArchiveBroken` for all that follow.
    """

    position: int
    name: str
    size_bytes: int
    packed_bytes: int | None = None
    error: PhotoError | None = None
    left_alone: bool = False
    other_kind: str | None = None
    chunks: Chunks = field(default=lambda: iter(()), repr=False)


def judged(member: Member, form: Form, limits: Limits) -> Member:
    """The member with what is to become of it, by its name, its form and its declared sizes."""
    name = member.name
    if form == "folder":
        return replace(member, left_alone=True)
    if form != "file":
        return _refused(member, "archive_member_unsafe", f"it is a {form}, not a file")
    if reason := _unsafe_name(name):
        return _refused(member, "archive_member_unsafe", reason)
    if lies_in_such_a_folder(name):
        return replace(member, left_alone=True)
    extension = extension_of(name)
    if extension in ARCHIVE_EXTENSIONS:
        return _refused(member, "archive_nested", "it is an archive itself; unpack it first")
    if extension not in EXTENSIONS:
        return replace(member, left_alone=True, other_kind=extension or "no extension")
    if member.error is not None:
        return member
    if member.size_bytes > limits.photo_bytes:
        return _refused(member, "file_too_large", f"over {limits.photo_bytes:,} bytes")
    packed = member.packed_bytes
    if packed is not None and member.size_bytes > max(1_000_000, packed * limits.ratio):
        reason = f"it is more than {limits.ratio:g} times its packed size"
        return _refused(member, "archive_member_unsafe", reason)
    return member


def counted(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The chunks, while they are no more bytes than one photo may have: a declared size is a claim.

    Raises:
        Unreadable: `file_too_large`.
    """
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > limit:
            raise Unreadable("file_too_large", f"over {limit:,} bytes")
        yield chunk


def storable_name(name: str) -> str:
    """A name that every database can hold: bytes that are no text, and NULs, are spelled out."""
    return spelled_out(name)[:CUSTOM_ID_LIMIT] or "?"


def _unsafe_name(name: str) -> str | None:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "its name is an absolute path"
    if ".." in parts:
        return "its name leads out of the archive"
    if len(name) >= CUSTOM_ID_LIMIT:
        return f"its name has {CUSTOM_ID_LIMIT} characters or more"
    return None


def _refused(member: Member, code: str, message: str) -> Member:
    return replace(member, error=PhotoError(code, "read", message))
