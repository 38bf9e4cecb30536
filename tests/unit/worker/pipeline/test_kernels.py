"""Loops that are compiled are kept for the next process; what is damaged of that is made again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import config
from numba.core.caching import CacheImpl
from numpy.typing import NDArray

from worker.pipeline.kernels import kernel


def double(numbers: NDArray[np.int64]) -> None:
    for place in range(len(numbers)):
        numbers[place] *= 2


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "kept"))
    yield tmp_path / "kept"


def doubled() -> tuple[list[int], int]:
    """What a new process would have of it, and how often it found it ready."""
    loop: Any = kernel(double)
    numbers = np.arange(3)
    loop(numbers)
    return numbers.tolist(), loop.stats.cache_hits.total()


def files(kept: Path) -> dict[str, bytes]:
    return {path.suffix: path.read_bytes() for path in kept.rglob("*.nb?")}


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("left", [0, 60])
def test_a_damaged_file_is_made_again(kept: Path, suffix: str, left: int) -> None:
    assert doubled() == ([0, 2, 4], 0)
    assert doubled() == ([0, 2, 4], 1)
    (path,) = kept.rglob(f"*{suffix}")
    path.write_bytes(path.read_bytes()[:left])
    assert doubled() == ([0, 2, 4], 0)
    assert doubled() == ([0, 2, 4], 1)
    assert all(files(kept).values())


def test_a_folder_that_goes_or_has_no_room_is_done_without(
    kept: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop: Any = kernel(double)
    shutil.rmtree(kept)
    kept.touch()
    numbers = np.arange(3)
    loop(numbers)
    assert numbers.tolist() == [0, 2, 4]
    assert "not kept for the next process" in caplog.text


def test_without_any_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert doubled() == ([0, 2, 4], 0)
    assert doubled() == ([0, 2, 4], 0)
