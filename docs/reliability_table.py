"""The tables of docs/reliability.md from a record of `make soak`: `python -m docs.reliability_table FILE`."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("reliability.md")
SLOW_CLIENTS = "slow clients: "
"""How the notes begin that belong to the attacks."""


def tables(record: str) -> dict[str, str]:
    """Markdown by its section; a record of a part of the tests has tables for that part alone."""
    entries = [json.loads(line) for line in record.splitlines()]
    notes = [(entry["note"], entry["value"]) for entry in entries if "note" in entry]
    runs = [note for note in notes if not note[0].startswith(SLOW_CLIENTS)]
    slow = [(name.removeprefix(SLOW_CLIENTS), value) for name, value in notes if (name, value) not in runs]
    tried = [(entry["tried"], entry["held"], entry["cost"]) for entry in entries if "tried" in entry]
    made = {
        "faults": _faults([entry for entry in entries if "fault" in entry]),
        "runs": _rows(("Long run", ""), runs, "---|--:"),
        "slow": _rows(("Slow clients", ""), slow, "---|--:"),
        "archives": _rows(("Tried", "Held", "Cost"), tried, "---|---|---"),
    }
    return {name: text for name, text in made.items() if text}


def _faults(entries: Sequence[dict[str, Any]]) -> str:
    recovered: dict[str, list[float]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    doubled: dict[str, int] = defaultdict(int)
    for entry in entries:
        name = entry["fault"]
        recovered[name].append(entry["recovered_s"])
        lost[name] += entry["lost"]
        doubled[name] += entry["doubled"]
    heading = ("Fault", "times", "lost", "doubled", "work goes on after, median s", "at most, s")
    rows = [
        (
            name,
            len(seconds),
            lost[name],
            doubled[name],
            f"{statistics.median(seconds):.1f}",
            f"{max(seconds):.1f}",
        )
        for name, seconds in sorted(recovered.items())
    ]
    return _rows(heading, rows, "---|--:|--:|--:|--:|--:")


def _rows(heading: Sequence[str], rows: Sequence[Sequence[object]], rule: str) -> str:
    if not rows:
        return ""
    lines = [heading, *rows]
    written = [f"| {' | '.join(map(str, line))} |".replace("|  |", "| |") for line in lines]
    return "\n".join([written[0], f"|{rule}|", *written[1:]])


def updated(page: str, record: str) -> str:
    """The page with the tables that the record has; others stay as they are."""
    for name, text in tables(record).items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


def main() -> None:
    """Write the tables into the page."""
    record = Path(sys.argv[1]).read_text(encoding="utf-8")
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
