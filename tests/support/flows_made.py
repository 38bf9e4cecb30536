"""Contenders that do nothing, or not what they should."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.protocol import FoundFace, Pass, Reading, Setup


class FakeFlow:
    """Finds one face in every photo; prints where it should not."""

    def __init__(self, setup: Setup) -> None:
        self.about: Mapping[str, str] = {"workers": str(setup.workers), "settings": str(_settings())}
        self.warmed = 0

    def warm_up(self, photos: Sequence[Path]) -> None:
        print("warming up", flush=True)  # noqa: T201
        self.warmed = len(photos)

    def run(self, photos: Sequence[Path]) -> Pass:
        os.write(1, b"a library speaks\n")
        face = FoundFace((0.0, 1.0, 2.0, float(self.warmed)), "female", "20-29")
        return Pass(tuple((face,) for _ in photos), 0.5, {"decode": 0.25})

    def read(self, photos: Sequence[Path]) -> Pass:
        face = FoundFace((0.0, 1.0, 2.0, 3.0), "male", "0-4", Reading("male", 0.9, "0-4", 0.1))
        return Pass(tuple((face,) for _ in photos))


class Refusing(FakeFlow):
    """Fails while it works."""

    def run(self, photos: Sequence[Path]) -> Pass:
        raise ValueError(f"cannot read {photos[0].name}\nand more")


class Dying(FakeFlow):
    """Is gone without a word."""

    def run(self, photos: Sequence[Path]) -> Pass:
        os.write(2, b"the last words\n")
        os._exit(7)


class Unloadable(FakeFlow):
    """Cannot even be made."""

    def __init__(self, setup: Setup) -> None:
        raise OSError("no weights")


class Babbling(FakeFlow):
    """Answers something else."""

    def run(self, photos: Sequence[Path]) -> Pass:
        return Odd(())


class Odd(Pass):
    """Not a pass as JSON."""

    def as_json(self) -> dict[str, object]:
        return {"photos": [[{}]]}


def _settings() -> list[str]:
    return [name for name in os.environ if name.startswith("NIGHTSHIFT_")]
