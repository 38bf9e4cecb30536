"""Names of photos: labels of any bytes, as every database and document can hold them."""

from __future__ import annotations

import os
import re
import unicodedata

CUSTOM_ID_LIMIT = 1024
"""Characters a custom_id may have."""
CUSTOM_ID_BYTES = 2500
"""And bytes of UTF-8: what an index of PostgreSQL takes beside a job's id. Of most scripts' letters it is
more than the characters; of 1024 in Chinese it is less."""


def is_too_long(name: str) -> bool:
    """Whether a name has more characters, or bytes, than a custom_id may have."""
    return len(name) > CUSTOM_ID_LIMIT or len(name.encode("utf-8", "surrogatepass")) > CUSTOM_ID_BYTES


def beginning_of(name: str, *, room: int = 0) -> str:
    """As much of a name, which is Unicode, as a custom_id may have with `room` ASCII characters behind it."""
    return name[: CUSTOM_ID_LIMIT - room].encode()[: CUSTOM_ID_BYTES - room].decode("utf-8", "ignore")


def end_of(name: str) -> str:
    """As much of a name's end, which is Unicode, as a custom_id may have."""
    return name[-CUSTOM_ID_LIMIT:].encode()[-CUSTOM_ID_BYTES:].decode("utf-8", "ignore")


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
