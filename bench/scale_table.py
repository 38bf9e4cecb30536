"""Tables of the scale benchmark, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

GROWTH_FROM = 1_000
"""Growth is the largest job's cost over this size's: below it, what is done once a job weighs too much."""

PHASES = {
    "find": "finding the files",
    "register": "registering them in place",
    "submit": "submitting",
    "claim": "claiming, 8 at a time",
    "read": "reading, hashing, looking for earlier results, thumbnails",
    "save": "saving faces and results",
    "finish": "looking whether the job has ended",
    "follow": "a client that follows the job",
    "sweep": "the sweeper",
    "summary": "the summary",
    "results": "results as JSON Lines and CSV",
    "report": "the report",
}
"""A photo's way through `nightshift run`, but for its analysis."""

AT_WORK = ("claim", "read", "save", "finish", "follow", "sweep")
"""Of these, what is done while photos are analysed, on the same cores."""

APART = {
    "pages": "listing all photos, page by page",
    "erase": "erasing the job",
    "upload": "uploading a folder, each photo hashed, asked about, sent and made durable",
    "archive": "sending a zip, and unpacking it",
}
"""What a run in place does not do."""

Measured = dict[str, Any]


def milliseconds(size: Measured, phases: Sequence[str], unit: str = "cpu_ms") -> float:
    """A photo's, added up over phases that were measured."""
    return float(sum(size["phases"].get(name, {}).get(unit, 0.0) for name in phases))


def growth(sizes: Sequence[Measured], phases: Sequence[str], unit: str = "cpu_ms") -> float | None:
    """The largest job's cost a photo over that of `GROWTH_FROM` photos; None where that was not measured."""
    of = {size["photos"]: milliseconds(size, phases, unit) for size in sizes if _has(size, phases)}
    if not of.get(GROWTH_FROM) or max(of) <= GROWTH_FROM:
        return None
    return of[max(of)] / of[GROWTH_FROM]


def _has(size: Measured, phases: Sequence[str]) -> bool:
    return any(name in size["phases"] for name in phases)


def table(sizes: Sequence[Measured], unit: str = "cpu_ms") -> str:
    """Milliseconds a photo by phase and size; then memory and the database's bytes."""
    head = " | ".join(f"{size['photos']:,}" for size in sizes)
    lines = [f"| Milliseconds a photo | {head} | growth |", f"|---|{'--:|' * (len(sizes) + 1)}"]
    lines += [_row(sizes, label, [name], unit) for name, label in PHASES.items()]
    lines.append(_row(sizes, "**all of `nightshift run`**", list(PHASES), unit))
    lines.append(_row(sizes, "**of it while photos are analysed**", list(AT_WORK), unit))
    lines += [_row(sizes, label, [name], unit) for name, label in APART.items()]
    memory = [f"{size['memory_peak_bytes'] / 1e6:.0f}" for size in sizes]
    lines.append(f"| peak memory of client, API and worker in one process, MB | {' | '.join(memory)} | |")
    database = [f"{size['database_bytes_a_photo'] / 1000:.1f}" for size in sizes]
    lines.append(f"| the database, kB a photo | {' | '.join(database)} | |")
    return "\n".join(lines)


def _row(sizes: Sequence[Measured], label: str, phases: Sequence[str], unit: str) -> str:
    cells = [f"{milliseconds(size, phases, unit):.2f}" if _has(size, phases) else "" for size in sizes]
    grown = growth(sizes, phases, unit)
    return f"| {label} | {' | '.join(cells)} | {'' if grown is None else f'{grown:.2f}'} |"
