"""The table of docs/reliability.md from a record of `make soak`: `python -m docs.reliability_table FILE`."""

from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path

PAGE = Path(__file__).with_name("reliability.md")
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"


def table(record: str) -> str:
    """Markdown of a record: a line a fault, the numbers of the long runs, and what was tried by attackers."""
    recovered: dict[str, list[float]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    doubled: dict[str, int] = defaultdict(int)
    notes: list[str] = []
    attacks: list[str] = []
    for line in record.splitlines():
        entry = json.loads(line)
        if "note" in entry:
            notes.append(f"| {entry['note']} | {entry['value']} |")
            continue
        if "tried" in entry:
            attacks.append(f"| {entry['tried']} | {entry['held']} | {entry['cost']} |")
            continue
        name = entry["fault"]
        recovered[name].append(entry["recovered_s"])
        lost[name] += entry["lost"]
        doubled[name] += entry["doubled"]
    lines = [
        "| Fault | times | lost | doubled | work goes on after, median s | at most, s |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, seconds in sorted(recovered.items()):
        median, most = statistics.median(seconds), max(seconds)
        lines.append(
            f"| {name} | {len(seconds)} | {lost[name]} | {doubled[name]} | {median:.1f} | {most:.1f} |"
        )
    if notes:
        lines += ["", "| Long run | |", "|---|--:|", *notes]
    if attacks:
        lines += ["", "| Tried | Held | Cost |", "|---|---|---|", *attacks]
    return "\n".join(lines)


def main() -> None:
    """Write the table into the page."""
    record = Path(sys.argv[1]).read_text(encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(record)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
