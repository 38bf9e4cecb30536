"""Chunks and segments damaged in their structure: what is not the pixels never costs the picture."""

from __future__ import annotations

import base64
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.pictures.parts import (
    WAYS,
    Part,
    changed,
    jpeg_of_parts,
    jpeg_parts,
    png_of_parts,
    png_parts,
)
from tests.support.pictures.watched import CODES, Watched

CI_S = 1.0
SOAK_S = 120.0

VALUES = frozenset((b"gAMA", b"sRGB"))
"""As a JPEG's profile: another body may be as good, and another picture, not a damaged one."""

HONEST = tuple(way for way in WAYS if way not in ("length", "length near", "bytes lost"))
"""Of several lies about lengths, one may by chance lead exactly to where another one is made good."""

OTHER_VALUES = ("other body", "longer body", "body begins well", "bytes lost")

Made = Callable[[tuple[Part, ...]], bytes]
SEEDS: dict[str, tuple[Made, tuple[Part, ...]]] = {
    "PNG": (png_of_parts, png_parts()),
    "JPEG": (jpeg_of_parts, jpeg_parts()),
    "progressive JPEG": (jpeg_of_parts, jpeg_parts(progressive=True)),
}


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as process:
        yield process


def mutant_of(parts: Sequence[Part], dice: random.Random, *, ancillary: bool) -> tuple[Part, ...]:
    """The parts, one to three of them changed; half of the time the ancillary ones in another order."""
    places = [index for index, part in enumerate(parts) if part.ancillary or not ancillary]
    mutant: dict[int, tuple[Part, ...]] = {index: (part,) for index, part in enumerate(parts)}
    lies = False
    for place in dice.sample(places, min(len(places), dice.randint(1, 3))):
        how = dice.choice(WAYS if not lies or not ancillary else HONEST)
        lies = lies or how not in HONEST
        values = parts[place].name in VALUES or parts[place].body.startswith(b"ICC_PROFILE")
        if ancillary and values and how in OTHER_VALUES:
            continue
        number = dice.choice((dice.randint(0, 300), dice.randint(0, 70_000), dice.getrandbits(32)))
        mutant[place] = changed(parts[place], how, number, dice.randbytes(dice.randint(0, 60)))
    around = [index for index, part in enumerate(parts) if part.ancillary]
    order = dict(zip(around, dice.sample(around, len(around)), strict=True)) if dice.random() < 0.5 else {}
    return tuple(part for index in range(len(parts)) for part in mutant[order.get(index, index)])


def fuzz_for(seconds: float, name: str, watched: Watched, folder: Path, *, ancillary: bool) -> Counter[str]:
    """Mutants until the time is over, thirty at least: outcomes by number; a finding is kept in `folder`."""
    make, parts = SEEDS[name]
    _, whole = watched.outcome_and_pixels(make(parts))
    assert whole
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    end = time.monotonic() + seconds
    seen: Counter[str] = Counter()
    while seen.total() < 30 or time.monotonic() < end:
        data = make(mutant_of(parts, dice, ancillary=ancillary))
        said, pixels = watched.outcome_and_pixels(data)
        seen[said] += 1
        if (said, pixels) != ("photo", whole) if ancillary else said not in CODES | {"photo"}:
            path = folder / "finding.bin"
            path.write_bytes(data)
            text = base64.b64encode(zlib.compress(data, 9)).decode()
            message = f"{said} {pixels}\nnumber {seen.total()} of seed {seed}\n{path}: {text[:8000]}"
            pytest.fail(message, pytrace=False)
    return seen


@pytest.mark.parametrize("name", SEEDS)
def test_damage_around_the_pixels_costs_nothing(name: str, watched: Watched, tmp_path: Path) -> None:
    assert fuzz_for(CI_S, name, watched, tmp_path, ancillary=True)["photo"] > 20


@pytest.mark.parametrize("name", SEEDS)
def test_damage_anywhere_ends_in_pixels_or_a_code(name: str, watched: Watched, tmp_path: Path) -> None:
    assert fuzz_for(CI_S, name, watched, tmp_path, ancillary=False).total() > 20


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S * 3)
@pytest.mark.parametrize("ancillary", [True, False], ids=["around the pixels", "anywhere"])
@pytest.mark.parametrize("name", SEEDS)
def test_damage_for_a_long_time(name: str, ancillary: bool, watched: Watched, tmp_path: Path) -> None:
    assert fuzz_for(SOAK_S, name, watched, tmp_path, ancillary=ancillary).total() > 20
