"""The scale benchmark's arithmetic, its page, and a run of it with a handful of photos."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bench.scale import RESULTS, measure
from bench.scale_table import APART, AT_WORK, PHASES, growth, milliseconds, table
from bench.stopwatch import Stopwatch
from docs import scale_section


def size(photos: int, **cpu_ms: float) -> dict[str, object]:
    phases = {name: {"cpu_ms": cost, "wall_ms": 2 * cost} for name, cost in cpu_ms.items()}
    return {
        "photos": photos,
        "phases": phases,
        "memory_peak_bytes": 150_000_000,
        "database_bytes_a_photo": 4100,
    }


def test_a_phase_within_another_interrupts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: now[0] / 2)
    watch = Stopwatch()

    def inner() -> str:
        now[0] += 10
        return "done"

    with watch.phase("outer"):
        now[0] += 1
        assert watch.timed("inner", inner)() == "done"
        now[0] += 2
    now[0] += 100
    with pytest.raises(ZeroDivisionError), watch.phase("outer"):
        now[0] += 3
        raise ZeroDivisionError

    assert {name: (spent.wall_s, spent.cpu_s) for name, spent in watch.spent.items()} == {
        "outer": (6.0, 3.0),
        "inner": (10.0, 5.0),
    }


def test_growth_is_the_largest_size_that_was_measured_over_a_thousand() -> None:
    sizes = [
        size(100, save=9),
        size(1000, save=2, upload=3),
        size(10_000, save=3, upload=6),
        size(100_000, save=4),
    ]

    assert growth(sizes, ["save"]) == 2
    assert growth(sizes, ["upload"]) == 2
    assert growth(sizes, ["find"]) is None
    assert growth(sizes[:2], ["save"]) is None
    assert milliseconds(sizes[1], ["save", "upload"], "wall_ms") == 10


def test_the_table_leaves_open_what_was_not_measured() -> None:
    lines = table([size(1000, save=2, upload=3), size(100_000, save=4)]).splitlines()

    assert "| saving faces and results | 2.00 | 4.00 | 2.00 |" in lines
    assert any(line.startswith("| uploading") and line.endswith("| 3.00 |  |  |") for line in lines)
    assert len({line.count("|") for line in lines}) == 1


def test_a_job_of_a_few_photos_goes_through_every_phase(tmp_path: Path) -> None:
    measured = measure(40, "", tmp_path)

    assert set(measured["phases"]) == {*PHASES, *APART}
    assert set(AT_WORK) < set(PHASES)
    assert measured["database_bytes_a_photo"] > 0
    assert measured["memory_peak_bytes"] >= measured["memory_before_bytes"] > 0


def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    page = scale_section.PAGE.read_text(encoding="utf-8")

    assert scale_section.updated(page, measured) == page
    scale_section.draw(tmp_path / "scale.svg", measured["results"])
    assert (tmp_path / "scale.svg").read_bytes() == scale_section.PICTURE.read_bytes()
