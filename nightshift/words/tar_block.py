"""The block of 512 bytes that stands before a tar's member, as far as it can be checked by itself."""

from __future__ import annotations

import re

BLOCK_BYTES = 512

_NUMBER = re.compile(rb"[0-7]+")


def begins_a_tar(block: bytes) -> bool:
    """Whether a file's first block is a header with the right checksum."""
    if len(block) < BLOCK_BYTES:
        return False
    try:
        size_and_kind(block)
    except ValueError:
        return False
    return True


def size_and_kind(block: bytes) -> tuple[int, int]:
    """Size and kind by a header whose checksum is right.

    Raises:
        ValueError: it is not, or a number is none.
    """
    told = _number(block[148:156])
    # Over the header with its checksum blank; old writers added signed bytes.
    plain = sum(block[:148]) + 8 * 0x20 + sum(block[156:])
    signed = plain - 256 * sum(byte > 127 for byte in block[:148] + block[156:])
    if told not in (plain, signed):
        raise ValueError("a header is damaged: its checksum is wrong")
    size_bytes = _number(block[124:136])
    if size_bytes < 0:
        raise ValueError("a member's size is negative")
    return size_bytes, block[156]


def _number(digits: bytes) -> int:
    """Octal digits, or a number to the base of 256 (GNU's, for more than 8 GB)."""
    if digits[0] in (0x80, 0xFF):
        return int.from_bytes(digits[1:], "big", signed=digits[0] == 0xFF)
    text = digits.partition(b"\0")[0].strip()
    if not text:
        return 0
    if not _NUMBER.fullmatch(text):
        raise ValueError("a header is damaged: it has no number where one should be")
    return int(text, 8)
