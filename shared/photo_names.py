"""Which files are taken for photos by their names."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

EXTENSIONS = frozenset(
    f".{extension}"
    for extension in "jpg jpeg jpe png webp tif tiff bmp gif heic heif avif".split()  # noqa: SIM905
)
"""Of the formats that are read. A file named explicitly is taken whatever its name says."""

ARCHIVE_EXTENSIONS = frozenset(
    f".{extension}"
    for extension in "zip tar gz tgz bz2 tbz2 xz txz zst 7z rar cab iso jar".split()  # noqa: SIM905
)

CUSTOM_ID_LIMIT = 1024
"""Characters a custom_id may have."""

_NOT_PHOTOS = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


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


def extension_of(name: str) -> str:
    """With its dot, in lower case; empty when there is none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a million Paths are slow


def is_archive_name(name: str) -> bool:
    """True for the name of an archive that is unpacked: zip, tar or tar.gz."""
    return name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))


def is_left_by_a_system(name: str) -> bool:
    """True for a file or folder that an operating system, and not the photographer, put there."""
    return name.startswith(".") or name in _NOT_PHOTOS


def lies_in_such_a_folder(path: str) -> bool:
    """True when any part of the path, its last one included, is such a name; `..` is none."""
    return any(is_left_by_a_system(part) for part in PurePosixPath(path).parts if part not in {"/", ".."})
