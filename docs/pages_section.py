"""Writes the table of pages in docs/performance-scale.md from bench/results/pages.json.

`python -m docs.pages_section` rewrites what lies between the markers; with `--check` it only says whether
that is up to date.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from bench.pages import RESULTS
from bench.pages_job import FAILURES, PAGE
from docs.generated import between, keep

PAGE_OF_IT = Path(__file__).with_name("performance-scale.md")
BY = "docs/pages_section.py"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def section(measured: dict[str, Any]) -> str:
    """Both tables, with the conditions they were measured under."""
    conditions, results = measured["conditions"], measured["results"]
    return "\n".join(
        [
            f"Python {conditions['python']} on {conditions['machine']}, {conditions['cores']} cores that"
            " other work shared. Milliseconds on the clock, and behind the stroke of the API's own processor"
            f" time: the least of seven. Pages of {PAGE} photos of {measured['photos']:,}, the first and one"
            " half way.",
            "",
            *_table(f"Of {measured['photos']:,} photos", "pages", results),
            "",
            *_table(f"Of {FAILURES:,} failures in one job", "failures", results),
        ]
    )


def _table(title: str, part: str, results: dict[str, Any]) -> list[str]:
    head = " | ".join(f"{NAMES[kind]} | half way" for kind in results)
    lines = [f"| {title} | {head} |", f"|---|{'--:|' * 2 * len(results)}"]
    for name in next(iter(results.values()))[part]:
        cells = [
            _cell(found[part][name].get(which))
            for found in results.values()
            for which in ("first", "halfway")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _cell(took: dict[str, float] | None) -> str:
    return f"{took['wall_ms']:.0f} / {took['cpu_ms']:.0f}" if took else ""


def main() -> int:
    """0 when the page is, or has been made, up to date."""
    part = section(json.loads(RESULTS.read_text(encoding="utf-8")))
    return keep(PAGE_OF_IT, partial(between, name="pages", part=part, by=BY), BY)


if __name__ == "__main__":
    raise SystemExit(main())
