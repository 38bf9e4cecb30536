"""What stands before a tar's members: blocks of 512 bytes, and longer names and sizes in front of them.

Ustar and pax (POSIX.1-2017, pax), GNU's long names, and the old format before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from nightshift.words.error_codes import Code
from nightshift.words.tar_block import BLOCK_BYTES, size_and_kind
from shared.archives.member import ArchiveBroken, Form

HEADER_BYTES = 2 * 1024 * 1024
"""What all headers of one member may have: long names, lists of holes."""

MOST_HEADERS = 16
"""Headers that may stand before one member; writers need four."""

_DECIMAL = re.compile(rb"[0-9]{1,20}")
_FOLLOWED_BY_DATA_NOT: Final = frozenset(b"123456")
_GLOBAL, _OWN, _SOLARIS, _LONG_NAME, _LONG_LINK = b"gxXLK"
_SPARSE, _LABEL, _DUMPED_FOLDER = b"SVD"
_FORMS: dict[int, Form] = {
    **dict.fromkeys(b"\x000 7", "file"),
    **dict.fromkeys(b"12", "link"),
    **dict.fromkeys((*b"5", _LABEL, _DUMPED_FOLDER), "folder"),
    _SPARSE: "sparse file",
}

ReadHeader = Callable[[int], bytes]
"""Gives exactly so many bytes, fewer at the archive's end only."""


@dataclass(frozen=True, slots=True)
class TarHeader:
    """What an archive says of its next member.

    Attributes:
        name: bytes that are no text are surrogates.
        size_bytes: of the data that follows.
        form: what kind of entry it is.
    """

    name: str
    size_bytes: int
    form: Form


@dataclass
class Headers:
    """Reads headers, one member's at a time; global ones hold for all that follow.

    Args:
        read: see `ReadHeader`.
    """

    read: ReadHeader
    _for_all: dict[bytes, bytes] = field(default_factory=dict)

    def next(self) -> TarHeader | None:
        """The next member's header, None at the archive's end.

        Raises:
            ArchiveBroken: a header is damaged, or cannot be true.
        """
        left = HEADER_BYTES
        own: dict[bytes, bytes] = {}
        for number in range(MOST_HEADERS):
            block = self.read(BLOCK_BYTES)
            if not block or not block.strip(b"\0"):
                if number:
                    raise ArchiveBroken("it ends where a member's name stands")
                return None
            size_bytes, kind = _checked(block)
            if kind not in (_GLOBAL, _OWN, _SOLARIS, _LONG_NAME, _LONG_LINK):
                return self._header(block, kind, size_bytes, own, left)
            left -= BLOCK_BYTES + size_bytes
            if left < 0:
                raise ArchiveBroken("a member's header is too long")
            content = self._content(size_bytes)
            if kind in (_LONG_NAME, _LONG_LINK):
                own.setdefault(b"path" if kind == _LONG_NAME else b"linkpath", content.partition(b"\0")[0])
            else:
                (self._for_all if kind == _GLOBAL else own).update(_records(content))
        raise ArchiveBroken(f"a member has over {MOST_HEADERS} headers")

    def _content(self, size_bytes: int) -> bytes:
        padded = -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
        content = self.read(padded)
        if len(content) < size_bytes:
            raise ArchiveBroken("it is cut off", Code.ARCHIVE_MEMBER_DAMAGED)
        return content[:size_bytes]

    def _header(
        self, block: bytes, kind: int, size_bytes: int, own: dict[bytes, bytes], left: int
    ) -> TarHeader:
        # An empty value in a member's own header takes a global one back.
        said = {key: value for key, value in {**self._for_all, **own}.items() if value}
        if kind == _SPARSE:
            self._pass_holes(block, left)
        name = said.get(b"path") or _name(block)
        if b"size" in said:
            if not _DECIMAL.fullmatch(said[b"size"]):
                raise ArchiveBroken("a member's size is no number, or one that nothing has")
            size_bytes = int(said[b"size"])
        form = _FORMS.get(kind, "device")
        if any(key.startswith(b"GNU.sparse.") for key in said):
            form = "sparse file"
        if form == "file" and name.endswith(b"/"):
            form = "folder"
        if kind in _FOLLOWED_BY_DATA_NOT:
            size_bytes = 0
        return TarHeader(name.decode("utf-8", "surrogateescape"), size_bytes, form)

    def _pass_holes(self, block: bytes, left: int) -> None:
        """The list of an old sparse file's holes goes on in further blocks."""
        more = block[482]
        while more:
            left -= BLOCK_BYTES
            if left < 0:
                raise ArchiveBroken("a member's header is too long")
            block = self.read(BLOCK_BYTES)
            if len(block) < BLOCK_BYTES:
                raise ArchiveBroken("it is cut off", Code.ARCHIVE_MEMBER_DAMAGED)
            more = block[504]


def _checked(block: bytes) -> tuple[int, int]:
    if len(block) < BLOCK_BYTES:
        raise ArchiveBroken("it is cut off", Code.ARCHIVE_MEMBER_DAMAGED)
    try:
        return size_and_kind(block)
    except ValueError as error:
        raise ArchiveBroken(str(error)) from error


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _records(content: bytes) -> dict[bytes, bytes]:
    """The records of a pax header that say anything here: `LENGTH KEY=VALUE` and a line feed, each."""
    found = {}
    at = 0
    while at < len(content) and content[at]:
        digits, space, _ = content[at : at + 21].partition(b" ")
        if not space or not _DECIMAL.fullmatch(digits):
            raise ArchiveBroken("a pax header is damaged")
        end = at + int(digits)
        key, equals, value = content[at + len(digits) + 1 : end - 1].partition(b"=")
        if end > len(content) or not equals or content[end - 1 : end] != b"\n" or end <= at:
            raise ArchiveBroken("a pax header is damaged")
        if key in (b"path", b"size"):
            found[key] = value.partition(b"\0")[0]
        elif key.startswith(b"GNU.sparse."):
            found[b"GNU.sparse."] = b"sparse"
        at = end
    return found
