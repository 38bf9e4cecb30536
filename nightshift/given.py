"""Paths as they were given to the command."""

from __future__ import annotations

from pathlib import Path

import typer


def path(text: str | Path) -> Path:
    """A path argument; to be named as `parser`.

    An empty one comes of a variable that is not set, and to `Path` it is the folder one happens to be in.

    Raises:
        typer.BadParameter: it is empty.
    """
    if isinstance(text, str) and not text:
        raise typer.BadParameter("it is empty; `.` is the folder you are in")
    return Path(text)
