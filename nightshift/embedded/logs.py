"""Logs of a home: one file a process, those of the last few runs kept."""

from __future__ import annotations

import logging
from pathlib import Path

from shared.logs import configure
from shared.settings import Settings

KEPT = 5
"""Earlier runs whose logs are kept, for each process."""


def fresh_log(home: Path, name: str) -> Path:
    """Make room for a new run's log: `name.log` becomes `name.log.1` and so on; where it is."""
    log = home / "logs" / f"{name}.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(KEPT - 1, -1, -1):
        older = log.with_name(f"{log.name}.{number}") if number else log
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    return log


def last_lines(log: Path, lines: int) -> str:
    """The end of a log, for the message that says why a child would not run."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 256 * lines))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip("\n").split("\n")[-lines:])


def log_here(settings: Settings) -> None:
    """Send this process's own log, the sweeper's mostly, to `runner.log`: the screen is the user's."""
    configure(settings.log_level, settings.log_format, fresh_log(settings.home, "runner"))
    # One line for each look at the job says nothing.
    logging.getLogger("httpx").setLevel(logging.WARNING)
