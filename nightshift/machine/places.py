"""Paths as text and as `file:` URLs and back, whatever characters are in their names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

_PLAIN = re.compile(r"[A-Za-z0-9/._~-]+")
FILE_SCHEME = "file:"


def file_url(path: Path) -> str:
    """`file:///...` of an absolute path, ASCII."""
    return path.as_uri()


def path_of_file_url(url: str) -> Path:
    """The path that a `file:` URL names. People write these by hand: `#` and `?` are taken for what they are.

    Raises:
        ValueError: it names no folder or file of this machine, or holds a NUL.
    """
    rest = url.removeprefix(FILE_SCHEME)
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        if host not in ("", "localhost"):
            raise ValueError(f"{url!r} names another machine, {host!r}; it reads file:///folder")
    raw = unquote_to_bytes(rest.encode("utf-8", "surrogateescape"))
    if not raw.startswith(b"/") or b"\0" in raw:
        raise ValueError(f"{url!r} names no folder; it reads file:///folder")
    return Path(os.fsdecode(raw))


def path_as_text(path: Path) -> str:
    """An absolute path for JSON and databases: as it is where its bytes are UTF-8, else as a `file:` URL."""
    try:
        return os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return file_url(path)


def path_of_text(text: str) -> Path:
    """The path that `path_as_text` wrote; for any other text `Path` of it.

    Raises:
        ValueError: a `file:` URL that names no file of this machine.
    """
    if text.startswith(FILE_SCHEME):
        return path_of_file_url(text)
    return Path(os.fsdecode(text.encode("utf-8", "surrogateescape")))


def as_path(given: object) -> Path:
    """What a caller gave for a path: text, or anything that stands for a path of text.

    Raises:
        InvalidInput: `bad_path`, it is neither, empty, or no path could be it.
    """
    try:
        text: object = os.fspath(given)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InvalidInput(Code.BAD_PATH, f"no path: {given!r}; it is a str or a Path")
    return Path(text)


def is_plain(path: Path) -> bool:
    """True when nothing in the path means anything to a URL, a shell or a configuration file."""
    return _PLAIN.fullmatch(str(path)) is not None
