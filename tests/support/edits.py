"""Damage to a file's bytes, drawn by Hypothesis."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from hypothesis import strategies as st

Edit = tuple[str, int, object]
"""What is done, where, and with what."""

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
edit_lists = st.lists(edits, min_size=1, max_size=6)


def edited(data: bytes, todo: Sequence[Edit]) -> bytes:
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
    return bytes(out)
