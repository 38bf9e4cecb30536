"""Two workers with the costliest photos that they take, and some that they refuse, fit into four GB."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from tests.support.command import Nightshift, results
from tests.support.pictures.drawn import encoded
from tests.support.processes import peak_memory_mb_of, wait_for

pytestmark = pytest.mark.faults

LOSSLESS = {"lossless": True, "quality": 0, "method": 0}
ALLOWED, FORBIDDEN = (7000, 7000), (16383, 12000)
"""Pixels of a WebP that is estimated at 0.9 GB, and of one at 3.5 GB; either is a file of a few bytes."""


def test_they_fit_into_four_gigabytes(tmp_path: Path) -> None:
    (tmp_path / "party").mkdir()
    for number in range(4):
        for name, size in (("allowed", ALLOWED), ("forbidden", FORBIDDEN)):
            picture = Image.new("RGB", size, (200, 40, number))
            (tmp_path / "party" / f"{name}-{number}.webp").write_bytes(encoded(picture, "WEBP", **LOSSLESS))
    nightshift = Nightshift(tmp_path, {"WORKERS": "2"})
    peaks: dict[int, float] = {}

    def note_peaks() -> None:
        for line in nightshift.processes():
            pid, _, command = line.partition(" ")
            with suppress(OSError, IndexError):
                if "worker.early" in command:
                    peaks[int(pid)] = peak_memory_mb_of(int(pid))

    run = nightshift.start("run", "party", "--out", "out", "--no-report")

    def has_ended() -> bool:
        note_peaks()
        return run.poll() is not None

    wait_for(has_ended, "the run to end")
    _, err = run.communicate()
    assert run.returncode == 3, err
    codes = {line["custom_id"]: (line["error"] or {}).get("code") for line in results(tmp_path / "out")}
    assert codes == {
        f"{name}-{number}.webp": code
        for number in range(4)
        for name, code in (("allowed", None), ("forbidden", "too_much_memory"))
    }
    # The parent of the pool and its two; what they share is counted for each.
    assert len(peaks) >= 3
    assert sum(peaks.values()) < 4000, peaks
