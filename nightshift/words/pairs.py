"""RAW+JPEG of one name: what a camera wrote twice is one photo, and which of the two files it is."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from typing import Literal

from nightshift.words.what_is_taken import RAW_EXTENSIONS, extension_of

PairsWish = Literal["one", "jpeg", "raw", "both"]
"""Of a pair: the JPEG, with a note of the raw file; the JPEG; the raw file; both, as two photos."""

RAW_LEFT = "RAW beside a JPEG"
JPEG_LEFT = "JPEG beside a RAW"
"""Words that they are counted under when they are left alone for the other one."""
LEFT_OF_PAIRS = frozenset({RAW_LEFT, JPEG_LEFT})

SHOWN = frozenset({".jpg", ".jpeg", ".jpe", ".heic", ".heif", ".hif"})
"""What cameras write beside a raw file."""


class Pairs:
    """The pairs among some files: of one folder, with one stem, in capitals or not.

    Args:
        names: of the files, with their folders where they are of several; `/` parts them.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        # Of many names, no more than a number is kept.
        self._raw: set[int] = set()
        self._shown: set[int] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Count a file in."""
        extension = extension_of(name)
        if extension in RAW_EXTENSIONS:
            self._raw.add(_of(name))
        elif extension in SHOWN:
            self._shown.add(_of(name))

    def would_replace(self, name: str, wish: PairsWish) -> bool:
        """Whether the other half of its pair is left alone for this file."""
        if wish in ("one", "jpeg"):
            return extension_of(name) in SHOWN and _of(name) in self._raw
        return wish == "raw" and extension_of(name) in RAW_EXTENSIONS and _of(name) in self._shown

    def leave_out(self, name: str) -> None:
        """Have a file be nobody's other half: it is no picture, whatever it is called."""
        (self._raw if extension_of(name) in RAW_EXTENSIONS else self._shown).discard(_of(name))

    def left_as(self, name: str, wish: PairsWish) -> str | None:
        """The word to count a file under that is left alone for the other half of its pair; else None."""
        extension = extension_of(name)
        if wish in ("one", "jpeg"):
            return RAW_LEFT if extension in RAW_EXTENSIONS and _of(name) in self._shown else None
        if wish == "raw":
            return JPEG_LEFT if extension in SHOWN and _of(name) in self._raw else None
        return None


def raw_files_of(left: Iterable[str], taken: Iterable[str]) -> dict[str, list[str]]:
    """Names of raw files that were left alone, by the name of the JPEG that they belong to."""
    raw: dict[str, list[str]] = {}
    for name in left:
        raw.setdefault(_stem(name), []).append(name)
    return {name: raw[_stem(name)] for name in taken if extension_of(name) in SHOWN and _stem(name) in raw}


def _of(name: str) -> int:
    return hash(_stem(name))


def _stem(name: str) -> str:
    return os.path.splitext(name)[0].casefold()  # noqa: PTH122 - a million Paths are slow
