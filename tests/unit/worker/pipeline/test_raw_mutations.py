"""Damaged raw files and JPEG XL: pixels or a named error, and never anything else, whatever the damage."""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.decoders import require_jxl, require_rawpy
from tests.support.edits import Edit, edit_lists, edited
from tests.support.pictures.drawn import encoded
from tests.support.pictures.raws import cr2, dng, nef
from tests.support.pictures.seeds import exif, picture
from tests.support.pictures.watched import CODES, Watched

CI_S = 2.5
SOAK_S = 90.0
ALLOWED = CODES | {"photo"}


def raw_files() -> list[bytes]:
    require_rawpy()
    image = picture(128)
    return [
        dng(image, preview=image, orientation=6),
        dng(image),
        dng(image, order=">"),
        dng(image, flat=False),
        nef(image, preview=image),
        cr2(image, preview=image),
    ]


def jxl_files() -> list[bytes]:
    require_jxl()
    import pillow_jxl  # noqa: F401 - it registers itself

    image = picture(64)
    return [
        encoded(image, "JXL"),
        encoded(image, "JXL", lossless=True, exif=exif(), use_container=True),
        encoded(image.convert("LA"), "JXL", lossless=True),
    ]


SEEDS: dict[str, Callable[[], list[bytes]]] = {"raw": raw_files, "JPEG XL": jxl_files}


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as process:
        process.outcome(b"")  # its start may take long
        yield process


def judge(data: bytes, watched: Watched, folder: Path) -> None:
    said = watched.outcome(data)
    if said not in ALLOWED:
        path = folder / "finding.bin"
        path.write_bytes(data)
        text = base64.b64encode(zlib.compress(data, 9)).decode()
        pytest.fail(f"{said}\n{len(data)} bytes in {path}: {text[:4000]}", pytrace=False)


def mutate_for(seconds: float, seeds: list[bytes], watched: Watched, folder: Path) -> int:
    end = time.monotonic() + seconds
    tried = 0

    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds), edit_lists, st.integers(0, 600) | st.none())
    def one_round(data: bytes, todo: list[Edit], head: int | None) -> None:
        nonlocal tried
        if time.monotonic() > end:
            return
        tried += 1
        # The directories are a small part of the file, and most of what can be damaged.
        mutant = edited(data, todo) if head is None else edited(data[:head], todo) + data[head:]
        judge(mutant, watched, folder)

    while time.monotonic() < end:
        one_round()
    return tried


@pytest.mark.parametrize("name", SEEDS)
def test_whole_ones_are_photos(name: str, watched: Watched) -> None:
    assert [watched.outcome(data) for data in SEEDS[name]()] == ["photo"] * len(SEEDS[name]())


@pytest.mark.parametrize("name", SEEDS)
def test_cut_off_anywhere_they_are_photos_or_named(name: str, watched: Watched, tmp_path: Path) -> None:
    for data in SEEDS[name]():
        for part in range(20):
            judge(data[: len(data) * part // 20], watched, tmp_path)


@pytest.mark.parametrize("name", SEEDS)
def test_damage_gives_pixels_or_a_named_error(name: str, watched: Watched, tmp_path: Path) -> None:
    assert mutate_for(CI_S, SEEDS[name](), watched, tmp_path) > 0


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S * 3)
@pytest.mark.parametrize("name", SEEDS)
def test_damage_for_a_long_time(name: str, watched: Watched, tmp_path: Path) -> None:
    assert mutate_for(SOAK_S, SEEDS[name](), watched, tmp_path) > 20
