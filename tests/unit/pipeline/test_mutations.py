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

from tests.unit.pipeline.seeds import FORMATS, seeds
from tests.unit.pipeline.watched import CODES, Watched

CI_S = 2.5
"""Seconds a format in every run; 20 in all."""

SOAK_S = 90.0

ALLOWED = CODES | {"photo"}

places = st.one_of(st.integers(0, 250), st.integers(0, 1 << 16))
lengths = st.one_of(st.integers(1, 16), st.integers(1, 2000))
NUMBERS = (0, 1, 2, 3, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
numbers = st.builds(
    lambda value, kind: struct.pack(kind, value % 2 ** (8 * struct.calcsize(kind))),
    st.one_of(st.sampled_from(NUMBERS), st.integers(0, 2**32 - 1)),
    st.sampled_from([">H", "<H", ">I", "<I", "B"]),
)
edits = st.one_of(
    st.tuples(st.just("flip"), places, st.integers(0, 7)),
    st.tuples(st.just("write"), places, numbers),
    st.tuples(st.just("write"), places, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("delete"), places, lengths),
    st.tuples(st.just("repeat"), places, lengths),
    st.tuples(st.just("swap"), places, lengths),
    st.tuples(st.just("cut"), places, st.none()),
)


def edited(data: bytes, todo: list[tuple[str, int, object]], repair: bool) -> bytes:
    """A file after some edits, each at a place modulo its length."""
    out = bytearray(data)
    for kind, somewhere, what in todo:
        place = somewhere % max(1, len(out))
        match kind, what:
            case "flip", int(bit):
                out[place : place + 1] = bytes(byte ^ (1 << bit) for byte in out[place : place + 1])
            case "write", bytes(values):
                out[place : place + len(values)] = values
            case "insert", bytes(values):
                out[place:place] = values
            case "delete", int(length):
                del out[place : place + length]
            case "repeat", int(length):
                out[place:place] = out[place : place + length]
            case "swap", int(length):
                first, second = out[place : place + length], out[place + length : place + 2 * length]
                out[place : place + len(first) + len(second)] = second + first
            case _:
                del out[place:]
    return with_checksums(bytes(out)) if repair else bytes(out)


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
    """Rounds of Hypothesis until the time is over; the bytes of a finding are kept in `folder`."""
    end = time.monotonic() + seconds
    tried = 0

    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds(image_format)), st.lists(edits, min_size=1, max_size=6), st.booleans())
    def one_round(data: bytes, todo: list[tuple[str, int, object]], repair: bool) -> None:
        nonlocal tried
        if time.monotonic() > end:
            return
        tried += 1
        mutant = edited(data, todo, repair)
        said = watched.outcome(mutant)
        if said not in ALLOWED:
            path = folder / "finding.bin"
            path.write_bytes(mutant)
            text = base64.b64encode(zlib.compress(mutant, 9)).decode()
            pytest.fail(f"{said}\n{len(mutant)} bytes in {path}: {text[:4000]}", pytrace=False)

    while time.monotonic() < end:
        one_round()
    return tried


@pytest.mark.parametrize("image_format", FORMATS)
def test_whole_seeds_are_photos(image_format: str, watched: Watched) -> None:
    assert {watched.outcome(data) for data in seeds(image_format)} == {"photo"}


@pytest.mark.parametrize("image_format", FORMATS)
def test_damage_gives_pixels_or_a_named_error(image_format: str, watched: Watched, tmp_path: Path) -> None:
    assert mutate_for(CI_S, image_format, watched, tmp_path) > 20


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
