"""The home, and lists of folders, as settings and the command write them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

DEFAULT_HOME = "~/.nightshift"


def home_of_clients() -> Path:
    """The home as a client sees it, which reads no other setting: those are the service's."""
    return Path(os.environ.get("NIGHTSHIFT_HOME") or DEFAULT_HOME).expanduser().absolute()


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
