"""Names of photos: labels of any bytes, as every database and document can hold them."""

from __future__ import annotations

import os
import re
import unicodedata

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


def folded(text: str) -> str:
    """The form in which names and what is sought in them are compared: alike on every machine and database.

    Capitals, wide letters and ligatures, and both ways to write an accent (macOS takes letters and accents
    apart) make no difference, nor does the dot of Turkish i's: whoever seeks does not know which it was. An
    accent itself does: `a` is not `\xe4`.
    """
    whole = unicodedata.normalize("NFD", text).casefold()
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", whole).casefold())
    return whole.replace("i\u0307", "i").replace("\u0131", "i")


ORDER_LIMIT = 500
"""Characters of a name that its order goes by: what an index takes, whatever the script."""

_NUMBER = re.compile(r"[0-9]+")


def in_order(name: str) -> str:
    """What names are sorted by, code point by code point: capitals aside, and numbers by their value."""
    return _NUMBER.sub(_by_value, folded(name))[:ORDER_LIMIT]


def _by_value(found: re.Match[str]) -> str:
    """Digits behind how many they are: of two numbers the longer is the larger one."""
    digits = found[0].lstrip("0") or "0"
    # The colon follows the nine.
    return f"{len(digits)}{digits}" if len(digits) < 10 else f":{len(digits):04d}{digits}"
