"""Tar files written byte by byte, so that each of their fields may say something else than it should."""

from __future__ import annotations

BLOCK = 512


def header(
    name: bytes = b"a.jpg",
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    checksum: int | None = None,
    tail: bytes = b"",
) -> bytes:
    """A header of one block; `size` as bytes is written as it is, `tail` over the last bytes."""
    told = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124 : 124 + len(told)] = told
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(prefix)] = prefix
    if tail:
        block[-len(tail) :] = tail
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % (sum(block) if checksum is None else checksum)
    return bytes(block)


def padded(data: bytes) -> bytes:
    """Filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes, kind: bytes = b"0") -> bytes:
    """A header and its data."""
    return header(name, len(data), kind) + padded(data)


def records(*pairs: tuple[bytes, bytes]) -> bytes:
    """The content of a pax header."""
    out = b""
    for key, value in pairs:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest)
        while len(b"%d" % length) + len(rest) != length:
            length = len(b"%d" % length) + len(rest)
        out += b"%d" % length + rest
    return out


def pax(*pairs: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """A pax header: of the next member, or with `g` of all that follow."""
    return member(b"pax", records(*pairs), kind)


def long_name(name: bytes) -> bytes:
    """GNU's way to a name of over 100 bytes."""
    return member(b"././@LongLink", name + b"\0", b"L")


END = bytes(2 * BLOCK)
