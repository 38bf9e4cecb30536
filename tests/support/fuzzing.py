"""Fuzzing for a set time: rounds that are numbered, each made from its number alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

TIMES_S = pytest.mark.parametrize("seconds", [1, pytest.param(120, marks=pytest.mark.soak)])
"""For each fuzzer: a second with every change, longer under `make soak`."""


class Dice(Random):
    """Chance that shows, where a test fails, what it was made from."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __repr__(self) -> str:
        return f"Dice({self.number})"


def rounds(seconds: float) -> Iterator[Dice]:
    """Dice for round after round until the time is over, and for fifty at least.

    The first rounds are the same each time: a commit should not fail over what chance finds just then. A long
    run goes on from where the clock says.
    """
    give_up_at, number = time.monotonic() + seconds, 0
    while number < 50 or time.monotonic() < give_up_at:
        yield Dice(number if number < 2000 else time.time_ns())
        number += 1


def mutated(dice: Random, data: bytes) -> bytes:
    """Bytes with one to four edits: changed, lost, doubled, moved, cut, or with odd ones put in."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice([1, 1, 2, 8, 40]))
        match dice.randrange(6):
            case 0:
                data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[to:]
            case 2:
                data = data[:to] + data[at:]
            case 3:
                data = data[:at] + dice.choice(ODD_BYTES) + data[at:]
            case 4:
                data = data[to:] + data[at:to] + data[:at]
            case _:
                data = data[:at]
    return data


ODD_BYTES = (
    *(
        b"\x00",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"--",
    ),
    *(
        b'"',
        b"\\",
        b"%",
        b"%00",
        b"%FF",
        b"%ED%A0%80",
        b"+",
        b"&",
        b";",
        b"=",
        b"'",
        b"\x1b[2J",
        b"\xe2\x80\xae",
    ),
    *(
        b"true",
        b"null",
        b"NaN",
        b"1e999",
        b"-0",
        b"9" * 30,
        b"[" * 300,
        b'{"a":' * 300,
        b"\\ud800",
        b"\\u0000",
    ),
)
"""What parsers stumble over."""

ODD_VALUES: tuple[Any, ...] = (
    *(True, False, None, 0, -1, 5.0, 1.5, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, -0.0),
    *("", "5", "true", "\x00", "\ud800", "\udc80x", "\u202e", "a\nb", "x" * 5000, "ä" * 300, "NaN"),
    *([], {}, [[]], [True], [1, "a"], {"a": 1}, {"": None}, {"\x00": "\x00"}),
)
"""What fields of JSON do not expect."""
