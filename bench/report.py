"""Writes docs/performance.md and its pictures from the committed results; nothing is measured.

    python -m bench.report [RESULTS.json ...]

Without files, it takes every `performance-*.json` under bench/results. `--check` only says whether the
document is what they make it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.error_codes import BenchCode
from bench.footprint_results import FOOTPRINT, Footprint, read_footprint
from bench.footprint_table import footprint_section
from bench.plot import draw
from bench.results import FOLDER, PREFIX, Results, read_results
from bench.tables import section
from docs.generated import between
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "performance.md"
PICTURES = "performance"
BY = "bench/report.py"
NOTHING = "Nothing is measured yet: `make bench` does it."


def committed() -> list[Path]:
    """Files of results, in order."""
    return sorted(FOLDER.glob(f"{PREFIX}*.json"))


def name_of(path: Path) -> str:
    """What a file of results is called, without what all of them have."""
    return path.stem.removeprefix(PREFIX)


def rendered(runs: Sequence[tuple[str, Results]], footprint: Footprint) -> str:
    """The generated part of the page: a section a run, and one of what it takes of a machine."""
    parts = [section(run, f"{PICTURES}/{name}.svg") for name, run in runs]
    return "\n\n".join(part for part in (*parts, footprint_section(footprint)) if part) or NOTHING


def write(paths: Sequence[Path], page: Path = PAGE, footprint: Path = FOOTPRINT) -> None:
    """Draw each run and write all of them into the page.

    Raises:
        InvalidInput: `bad_results`.
    """
    runs = [(name_of(path), read_results(path)) for path in paths]
    part = rendered(runs, read_footprint(footprint))
    text = between(page.read_text(encoding="utf-8"), "performance", part, BY)
    for name, run in runs:
        picture = page.parent / PICTURES / f"{name}.svg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw(run, picture)
    page.write_text(text, encoding="utf-8")


def check(paths: Sequence[Path], page: Path = PAGE, footprint: Path = FOOTPRINT) -> None:
    """Make sure that the page says what the results say.

    Raises:
        InvalidInput: `performance_stale` or `bad_results`.
    """
    runs = [(name_of(path), read_results(path)) for path in paths]
    text = page.read_text(encoding="utf-8")
    missing = [name for name, _ in runs if not (page.parent / PICTURES / f"{name}.svg").is_file()]
    wanted = between(text, "performance", rendered(runs, read_footprint(footprint)), BY)
    if wanted != text or missing:
        raise InvalidInput(
            BenchCode.PERFORMANCE_STALE, f"{page} is behind {FOLDER}: run `python -m bench.report`"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the page is, or has been made, up to date; 2 when it is not and cannot be."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="*", help="files of results (default: those committed)")
    parser.add_argument("--check", action="store_true", help="only compare what is there")
    given = parser.parse_args(argv)
    try:
        (check if given.check else write)(given.results or committed())
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
