"""Where the photos themselves are, for a page that is opened on the machine which has them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nightshift.machine.places import file_url, path_of_text
from nightshift.words.photo_names import path_spelled_out

NAMED = 3
"""Folders in a title; of more it says how many."""


def original_of(path: str | None) -> str | None:
    """`file:///...` of a photo that was registered in place, when it is a file of this disk.

    Args:
        path: as a result says it. A server may say anything: what is no absolute path is no file.
    """
    with suppress(ValueError, OSError):
        if path and (place := path_of_text(path)).is_absolute() and place.is_file():
            # Two slashes at the beginning would name another machine.
            return file_url(Path("/", *place.parts[1:]))
    return None


def title_of(roots: Iterable[str]) -> str:
    """What a job without a label is called: by the folders, files or archive that were given."""
    names = list(dict.fromkeys(filter(None, map(_name, roots))))
    shown = names[:NAMED]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown):,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def _name(root: str) -> str:
    with suppress(ValueError):
        return path_spelled_out(path_of_text(root).name)
    return ""
