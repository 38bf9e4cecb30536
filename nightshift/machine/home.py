"""The home, and lists of folders, as settings and the command write them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from nightshift.machine import root_key

DEFAULT_HOME = "~/.nightshift"
LOCK = "lock"
"""Held by whoever runs on a home, and names it: process number and id, and the command."""

_OF_A_HOME = (("nightshift.db", "store"), (LOCK, root_key.FILE))
"""A folder with one of each is a home, whosever; its database may be elsewhere."""


def home_of_clients(given: Mapping[str, str] = os.environ) -> Path:
    """The home as a client sees it, which reads no other setting: those are the service's.

    Raises:
        RuntimeError: it is in the folder of a user who has none.
    """
    return Path(given.get("NIGHTSHIFT_HOME") or DEFAULT_HOME).expanduser().absolute()


def roots_of(paths: Iterable[Path]) -> str:
    """Such a list of folders, whatever their names are made of."""
    return json.dumps([str(path) for path in paths])


def folders_in(roots: str) -> list[str]:
    """What a list of folders names; JSON can name every one, also one with a colon.

    Raises:
        ValueError: it looks like JSON and is no list of strings.
    """
    if not roots.startswith("["):
        return [root for root in roots.split(os.pathsep) if root]
    listed = json.loads(roots)
    if not isinstance(listed, list) or not all(isinstance(root, str) for root in listed):
        raise ValueError("is no JSON list of folders")
    return listed


def is_home(folder: Path) -> bool:
    """Whether a folder is a Nightshift home: what lies in it are copies of photos, and thumbnails."""
    # Not Path.exists(): what has too long a name, or may not be looked at, is not there for us.
    return all(any(os.path.exists(folder / name) for name in names) for names in _OF_A_HOME)  # noqa: PTH110
