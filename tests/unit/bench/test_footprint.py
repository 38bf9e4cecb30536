"""What Nightshift takes of a machine: kept part by part, and shown as tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bench.footprint_results import Footprint, Install, JobCost, Start, read_footprint, write_footprint
from bench.footprint_table import footprint_section
from nightshift.words.errors import InvalidInput

DAY = date(2026, 1, 2)


def cost(photos: int) -> JobCost:
    return JobCost(
        day=DAY,
        photos=photos,
        workers=2,
        seconds=photos / 20,
        stages={"decode": photos / 100, "detect": photos / 25},
        faces=photos * 2,
        worker_bytes=400_000_000,
        worker_own_bytes=300_000_000,
        worker_peak_bytes=450_000_000,
    )


MEASURED = Footprint(
    cpu="A CPU",
    cores=2,
    bundle="mine",
    install=Install(day=DAY, seconds=42.2, size_bytes=700_400_000, packages=80),
    start=Start(day=DAY, photos=8, first_s=[4.0, 3.5, 6.0], total_s=[7.0, 7.0, 8.0]),
    memory=cost(1000),
    jobs={1000: cost(1000), 100: cost(100)},
)


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_everything_measured_is_shown_beside_its_goal() -> None:
    text = footprint_section(MEASURED)
    assert "A CPU, 2 cores. Weights `mine`." in text
    shown = rows(text)
    assert ["environment for the CPU", "700 MB", "under 1,200 MB"] in shown
    assert ["making it, packages at hand", "42 s, 80 packages", "60 s"] in shown
    first = "`nightshift run` to its first photo done"
    assert [first, "4.0 s (3.5-6.0); 3 runs over 8 photos", "5 s"] in shown
    memory = "400 MB resident (300 MB with what is shared divided; at most 450 MB)"
    assert ["a worker on the CPU after 1,000 photos", memory, "under 500 MB"] in shown
    assert shown[-2:] == [
        ["100", "2", "50.0", "10.0", "40.0", "0.0", "0.0", "200", "400", "450"],
        ["1,000", "2", "50.0", "10.0", "40.0", "0.0", "0.0", "2,000", "400", "450"],
    ]


def test_what_was_not_measured_is_left_out() -> None:
    assert footprint_section(Footprint()) == ""
    alone = footprint_section(Footprint(cpu="A CPU", cores=2, bundle="mine", start=MEASURED.start))
    assert "first photo" in alone and "environment" not in alone and "jobs" not in alone


def test_it_is_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "results" / "footprint.json"
    assert read_footprint(path) == Footprint()
    write_footprint(MEASURED, path)
    assert read_footprint(path) == MEASURED


@pytest.mark.parametrize("text", [b"{", b"\xff", b'{"install": 3}'])
def test_a_file_that_is_none_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "footprint.json"
    path.write_bytes(text)
    with pytest.raises(InvalidInput, match=str(path)) as caught:
        read_footprint(path)
    assert caught.value.code == "bad_results"
