"""Paths as they were given to the command."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import typer

from nightshift.machine.places import path_as_text
from nightshift.report_page.originals import title_of
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import LABEL_LIMIT, NewJob


def path(text: str | Path) -> Path:
    """A path argument; to be named as `parser`.

    An empty one comes of a variable that is not set, and to `Path` it is the folder one happens to be in.

    Raises:
        typer.BadParameter: it is empty.
    """
    if isinstance(text, str) and not text:
        raise typer.BadParameter("it is empty; `.` is the folder you are in")
    return Path(text)


def require_there(paths: Iterable[Path]) -> None:
    """Make sure that each path is one of a file or a folder.

    Raises:
        InvalidInput: `no_such_path`.
    """
    for path in paths:
        if not os.path.exists(path):  # noqa: PTH110 - Path.exists() raises where a name is too long
            raise InvalidInput(Code.NO_SUCH_PATH, f"no such file or folder: {path}")


def label_of(paths: Iterable[Path]) -> str | None:
    """What a job without a label is called: as what it is made of, so that it is found among others."""
    roots = (path_as_text(Path(os.path.abspath(path))) for path in paths)  # noqa: PTH100 - follows no links
    return title_of(roots)[:LABEL_LIMIT] or None


def labelled(wish: NewJob, paths: Iterable[Path]) -> NewJob:
    """The wish, with a label where none was given."""
    return wish if "label" in wish.model_fields_set else wish.model_copy(update={"label": label_of(paths)})
