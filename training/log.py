"""A run's log: one JSON object a line, and the picture of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nightshift.words.errors import InvalidInput
from training.error_codes import TrainingCode

LOG = "log.jsonl"


class Log:
    """Appends to a run's log.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG

    def write(self, event: str, **values: Any) -> None:
        """Append one line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, **values}) + "\n")


def read_log(folder: Path) -> list[dict[str, Any]]:
    """Every line of a run's log; a last line cut off by a crash is left out.

    Raises:
        InvalidInput: `no_log`.
    """
    path = folder / LOG
    if not path.is_file():
        raise InvalidInput(TrainingCode.NO_LOG, f"no {LOG} in {folder}")
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries
