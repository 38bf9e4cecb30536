"""Damaged files: pixels or a named error, and never anything else, whatever the damage."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.edits import Edit, edit_lists, edited
from tests.support.pictures.seeds import FORMATS, seeds
from tests.support.pictures.watched import CODES, Watched

SOAK_S = 90.0

ROUND = 100
"""Mutants of a format."""

ALLOWED = CODES | {"photo"}


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks' checksums are right again: else hardly any damage came past them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, place = bytearray(data), 8
    while place + 12 <= len(out):
        end = place + 8 + int.from_bytes(out[place : place + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[place + 4 : end]))
        place = end + 4
    return bytes(out)


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as process:
        yield process


def mutate_for(seconds: float, image_format: str, watched: Watched, folder: Path) -> int:
    """Rounds of Hypothesis until the time is over, a whole one at least; a finding is kept in `folder`."""
    end = time.monotonic() + seconds
    tried = 0

    @settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds(image_format)), edit_lists, st.booleans())
    def one_round(data: bytes, todo: list[Edit], repair: bool) -> None:
        nonlocal tried
        if tried >= ROUND and time.monotonic() > end:
            return
        tried += 1
        mutant = edited(data, todo)
        if repair:
            mutant = with_checksums(mutant)
        said = watched.outcome(mutant)
        if said not in ALLOWED:
            path = folder / "finding.bin"
            path.write_bytes(mutant)
            text = base64.b64encode(zlib.compress(mutant, 9)).decode()
            pytest.fail(f"{said}\n{len(mutant)} bytes in {path}: {text[:4000]}", pytrace=False)

    one_round()
    while time.monotonic() < end:
        one_round()
    return tried


@pytest.mark.parametrize("image_format", FORMATS)
def test_whole_seeds_are_photos(image_format: str, watched: Watched) -> None:
    assert {watched.outcome(data) for data in seeds(image_format)} == {"photo"}


@pytest.mark.parametrize("image_format", FORMATS)
def test_damage_gives_pixels_or_a_named_error(image_format: str, watched: Watched, tmp_path: Path) -> None:
    # Outside the soak each round is the same one.
    assert mutate_for(0, image_format, watched, tmp_path) > 20


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S * 3)
@pytest.mark.parametrize("image_format", FORMATS)
def test_damage_for_a_long_time(image_format: str, watched: Watched, tmp_path: Path) -> None:
    assert mutate_for(SOAK_S, image_format, watched, tmp_path) > 20


def test_a_process_that_dies_or_hangs_is_noticed(watched: Watched) -> None:
    assert watched.outcome(seeds("PNG")[0]) == "photo"
    assert watched._process is not None
    watched._process.kill()
    assert watched.outcome(seeds("PNG")[0]).startswith("the process died of -9")
    assert watched.outcome(seeds("PNG")[0]) == "photo"
