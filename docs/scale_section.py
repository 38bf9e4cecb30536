"""Writes the measured part of docs/performance-scale.md, and its picture, from bench/results/scale.json.

`python -m docs.scale_section` rewrites what lies between the markers; with `--check` it only says whether
that is up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.scale import RESULTS
from bench.scale_table import AT_WORK, PHASES, Measured, milliseconds, table
from docs.generated import between, keep

PAGE = Path(__file__).with_name("performance-scale.md")
PICTURE = Path(__file__).parent / "images" / "scale.svg"
BY = "docs/scale_section.py"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

# The same input gives the same file, and text stays text.
_STYLE: Any = {"svg.hashsalt": "nightshift", "svg.fonttype": "none", "font.size": 9}


def section(measured: dict[str, Any]) -> str:
    """The tables, one a database, with the conditions they were measured under."""
    conditions = measured["conditions"]
    parts = [
        f"Python {conditions['python']} on {conditions['machine']}, {conditions['cores']} cores that other"
        " work shared. Milliseconds of processor time of this process, all its threads; growth is the largest"
        f" job's over that of {measured['growth_from']:,} photos."
    ]
    for kind, sizes in measured["results"].items():
        parts += [f"### {NAMES[kind]}", table(sizes), _in_words(sizes)]
    return "\n\n".join(parts)


def _in_words(sizes: Sequence[Measured]) -> str:
    waits = ", ".join(f"{milliseconds(size, list(PHASES), 'wall_ms'):.1f}" for size in sizes)
    return (
        f"On the clock, the disk and the database waited for, all of `nightshift run` took {waits} ms a photo"
        " in one process that does one thing at a time."
    )


def draw(path: Path, results: dict[str, Sequence[Measured]]) -> None:
    """Cost a photo against the size of its job."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.subplots()
        for number, (kind, sizes) in enumerate(results.items()):
            photos = [size["photos"] for size in sizes]
            for phases, style, what in ((list(PHASES), "o-", "all"), (AT_WORK, "o--", "during the analysis")):
                costs = [milliseconds(size, phases) for size in sizes]
                axes.plot(photos, costs, style, color=f"C{number}", label=f"{NAMES[kind]}, {what}")
        axes.set(xscale="log", xlabel="photos in the job", ylabel="processor time a photo, ms")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})


def updated(page: str, measured: dict[str, Any]) -> str:
    """The page with its measured part as it should be."""
    return between(page, "scale", section(measured), BY)


def main() -> int:
    """0 when the page is, or has been made, up to date."""
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        draw(PICTURE, measured["results"])
    return keep(PAGE, partial(updated, measured=measured), BY)


if __name__ == "__main__":
    raise SystemExit(main())
