"""Names of photos: labels of any bytes, as every database and document can hold them."""

from __future__ import annotations

import os

CUSTOM_ID_LIMIT = 1024
"""Characters a custom_id may have."""


def spelled_out(name: str) -> str:
    """A name that every database and document can hold: bytes that are no UTF-8 as `\\xff`, NULs, too."""
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def path_spelled_out(path: str | bytes | os.PathLike[str]) -> str:
    """A path of this machine, spelled out alike in every locale: its bytes are what counts."""
    return spelled_out(os.fsencode(path).decode("utf-8", "surrogateescape"))
