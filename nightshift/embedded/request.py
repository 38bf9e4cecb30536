"""What `nightshift run` was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        paths: existing files and folders, absolute; may be empty with `resume`.
        out: where the results go, None for the default.
        resume: go on with an interrupted run.
        options: the job's options that were given.
        about: its other wishes, such as its label.
        settings: settings that were given, by name.
        follow: whether links to folders are followed.
        page: whether the report is written.
        quiet: no progress, no remarks.
        again: the command that goes on when it is interrupted; None for `nightshift run --resume`.
        also: further forms of the results, that are made only when they are asked for.
        overwrite: whether whatever results are in the way are replaced.
    """

    paths: Sequence[Path]
    out: Path | None
    resume: bool
    options: Mapping[str, Any]
    settings: Mapping[str, object]
    follow: bool = True
    page: bool = True
    quiet: bool = False
    again: str | None = None
    also: Sequence[str] = ()
    overwrite: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
