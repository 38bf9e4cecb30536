"""What a run, or a submission, would do: `--dry-run`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from nightshift.photos import Found
from nightshift.screen import cell, tell_json
from nightshift.summary_rows import NAMES_SHOWN, more, summary_table
from nightshift.words.clock import local_time, utc_now
from nightshift.words.left_alone import by_kind, in_full
from nightshift.words.new_job import JobWishes
from nightshift.words.options import JobOptions
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.plain_text import counted, plain

_SHOWN = {"label": "Label", "priority": "Priority", "processing_window": "Window", "deadline": "Deadline"}
"""Wishes by what they are called."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done.

    Attributes:
        found: photos, and what would be left alone.
        archive: what would be unpacked instead; what is in it is not known before.
        to: where results, or photos, would go: a folder, or a server's address.
        options: that the job would have; None where the server has its own.
        weights: their name, where it is known.
        wish: what was asked for of the job beside options; None where it is one that is there already.
    """

    found: Found
    archive: Path | None
    to: Path | str
    options: JobOptions | None = None
    weights: str | None = None
    wish: JobWishes | None = None

    def tell(self, console: Console, *, as_json: bool) -> None:
        """Print it, on standard output."""
        if as_json:
            tell_json(self._as_json(), indent=2)
            return
        table = summary_table()
        table.add_row("Photos", cell(self._photos()))
        names = [plain(photo.custom_id) for photo in self.found.photos[:NAMES_SHOWN]]
        if names:
            table.add_row("", Text("\n".join([*names, *more(len(self.found.photos) - len(names))])))
        if lines := in_full(self.found.left_alone):
            table.add_row("Left alone", Text("\n".join(map(plain, lines))))
        table.add_row("Results" if isinstance(self.to, Path) else "Server", cell(path_spelled_out(self.to)))
        if self.options:
            said = (f"{name} {value}" for name, value in self.options.model_dump().items())
            table.add_row("Options", cell(", ".join(said)))
        for title, wished in self._wishes():
            table.add_row(title, cell(wished))
        if self.weights:
            table.add_row("Weights", cell(self.weights))
        console.print(table)

    def _wishes(self) -> Iterator[tuple[str, str]]:
        """Those that say which job, and when, as far as they were given."""
        given = self.wish.model_dump(include=set(_SHOWN), exclude_unset=True) if self.wish else {}
        for name, title in _SHOWN.items():
            value = given.get(name)
            if isinstance(value, timedelta):
                yield title, f"{local_time(utc_now() + value)}, if it begins now"
            elif value is not None:
                yield title, local_time(value) if isinstance(value, datetime) else plain(value)

    def _photos(self) -> str:
        if self.archive is not None:
            size_mb = self.archive.stat().st_size / 1e6
            return (
                f"those in {path_spelled_out(self.archive)} ({size_mb:,.1f} MB): it is unpacked to know them"
            )
        return counted(len(self.found.photos), "photo")

    def _as_json(self) -> dict[str, Any]:
        return {
            "photos": [photo.custom_id for photo in self.found.photos],
            "archive": path_spelled_out(self.archive) if self.archive else None,
            "left_out": [path_spelled_out(path) for path in self.found.unnameable],
            "left_alone": dict(self.found.left_alone),
            "left_alone_by_kind": by_kind(self.found.left_alone),
            "to": path_spelled_out(self.to),
            "options": self.options.model_dump() if self.options else None,
            "weights": self.weights,
            "wishes": self.wish.model_dump(mode="json", include=set(_SHOWN), exclude_unset=True)
            if self.wish
            else {},
        }
