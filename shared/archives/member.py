"""One member of an archive, and whether it may become a photo."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal, Self

from nightshift.words.analysis import PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, Unreadable
from nightshift.words.pairs import Pairs, PairsWish
from nightshift.words.photo_names import (
    CUSTOM_ID_BYTES,
    CUSTOM_ID_LIMIT,
    beginning_of,
    is_too_long,
    spelled_out,
)
from nightshift.words.signatures import BEGINNING_BYTES
from nightshift.words.what_is_taken import (
    ARCHIVE_EXTENSIONS,
    extension_of,
    is_a_picture,
    is_taken_by_its_name,
    left_alone_as,
    left_alone_for_its_place,
)
from shared.settings import Settings

CHUNK_BYTES = 256 * 1024
FIRST_CHUNK_BYTES = 4096
"""Of members that are no photos no more is read than tells so."""

LETTER_BYTES = 4
"""That a letter has in UTF-8 at most."""

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SEPARATOR = re.compile(r"[\\/]+")

Form = Literal["file", "folder", "link", "device", "sparse file"]


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

    @property
    def directory_bytes(self) -> int:
        """Bytes a zip's directory may have: a kilobyte a member is many times what they take."""
        return max(1_000_000, self.members * 1024)

    def check_count(self, members: int) -> None:
        """Refuse too many members.

        Raises:
            InvalidInput: `archive_limit`.
        """
        if members > self.members:
            raise over_limit(f"{members:,} members; {self.members:,} may be in one archive")

    def check_total(self, unpacked_bytes: int) -> None:
        """Refuse too much.

        Raises:
            InvalidInput: `archive_limit`.
        """
        if unpacked_bytes > self.total_bytes:
            raise over_limit(f"over {self.total_bytes:,} bytes, unpacked")

    def check_size(self, unpacked_bytes: int, packed_bytes: int) -> None:
        """Refuse too much, or what grows too much; under ten megabytes nothing is too much.

        Raises:
            InvalidInput: `archive_limit`.
        """
        self.check_total(unpacked_bytes)
        if unpacked_bytes > max(10_000_000, packed_bytes * self.ratio):
            raise over_limit(f"more than {self.ratio:g} times its packed size, unpacked")


def over_limit(what: str) -> InvalidInput:
    """An archive has too much of something."""
    return InvalidInput(Code.ARCHIVE_LIMIT, f"the archive has {what}")


class ArchiveBroken(Exception):
    """The archive cannot be read from here on; members before this are sound.

    Attributes:
        code: `archive_damaged` where its own structure cannot be true, `archive_member_damaged` where it
            ends within a member.
    """

    def __init__(self, reason: str, code: Code = Code.ARCHIVE_DAMAGED) -> None:
        super().__init__(reason)
        self.code = code


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
        other_kind: the word it is counted under when it is left alone; None when it is not counted.
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
    """The member with what is to become of it, under a name that can be stored.

    By its name, its form and its declared sizes; by its first bytes where the name leaves it open.

    Args:
        member: as the archive describes and names it.
        form: what kind of entry it is.
        limits: what the archive may have.
    """
    said, member = member.name, replace(member, name=storable_name(member.name))
    if form == "folder":
        return replace(member, left_alone=True)
    if form != "file":
        return _refused(member, Code.ARCHIVE_MEMBER_UNSAFE, f"it is a {form}, not a file")
    if reason := _unsafe_name(said):
        return _refused(member, Code.ARCHIVE_MEMBER_UNSAFE, reason)
    parts = [part for part in _SEPARATOR.split(said) if part]
    place = left_alone_for_its_place(parts)
    if place is not None:
        return replace(member, left_alone=True, other_kind=place or None)
    member = _by_its_content(member, parts[-1] if parts else said)
    if member.error is not None or member.left_alone:
        return member
    if member.size_bytes == 0:
        return _refused(member, Code.UNSUPPORTED_FORMAT, "the file is empty")
    if member.size_bytes > limits.photo_bytes:
        return _refused(member, Code.FILE_TOO_LARGE, f"over {limits.photo_bytes:,} bytes")
    packed = member.packed_bytes
    if packed is not None and member.size_bytes > max(1_000_000, packed * limits.ratio):
        reason = f"it is more than {limits.ratio:g} times its packed size"
        return _refused(member, Code.ARCHIVE_MEMBER_UNSAFE, reason)
    return member


def unless_paired(member: Member, name: str, pairs: Pairs, wish: PairsWish) -> Member:
    """The member, left alone where the other half of its pair is the photo."""
    word = None if member.left_alone else pairs.left_as(name, wish)
    return member if word is None else replace(member, error=None, left_alone=True, other_kind=word)


def _by_its_content(member: Member, name: str) -> Member:
    """Left alone when it is no photo; refused when it is an archive by its name."""
    if is_taken_by_its_name(name):
        return member
    beginning = None if member.error else b""
    if beginning is not None and member.size_bytes:
        beginning, member = _begun(member)
    if extension_of(name) in ARCHIVE_EXTENSIONS:
        if is_a_picture(name, beginning or b""):
            return member
        return _refused(member, Code.ARCHIVE_NESTED, "it is an archive itself; unpack it first")
    kind = left_alone_as(name, lambda: beginning)
    return member if kind is None else replace(member, left_alone=True, other_kind=kind)


def _begun(member: Member) -> tuple[bytes | None, Member]:
    """The first bytes, None where they cannot be had, and the member that still gives them all."""
    chunks = member.chunks()
    beginning = b""
    try:
        while len(beginning) < BEGINNING_BYTES and (chunk := next(chunks, b"")):
            beginning += chunk
    except Unreadable:
        # Its name does not say that it is a photo, and its bytes cannot.
        return None, member
    return beginning[:BEGINNING_BYTES], replace(member, chunks=lambda: chain([beginning], chunks))


def counted(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The chunks, while they are no more bytes than one photo may have: a declared size is a claim.

    Raises:
        Unreadable: `file_too_large`.
    """
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > limit:
            raise Unreadable(Code.FILE_TOO_LARGE, f"over {limit:,} bytes")
        yield chunk


def storable_name(name: str) -> str:
    """A name that every database can hold: bytes that are no text, and NULs, are spelled out."""
    return beginning_of(spelled_out(name)) or "?"


def _unsafe_name(name: str) -> str | None:
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "its name is an absolute path"
    if ".." in _SEPARATOR.split(name):
        return "its name leads out of the archive"
    # It was cut, to no more than that, and between two letters.
    if is_too_long(name + "~" * LETTER_BYTES):
        return f"its name has {CUSTOM_ID_LIMIT} characters, or {CUSTOM_ID_BYTES:,} bytes of UTF-8, or more"
    return None


def _refused(member: Member, code: Code, message: str) -> Member:
    return replace(member, error=PhotoError.of(code, "read", message))
