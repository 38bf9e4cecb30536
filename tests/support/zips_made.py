"""Zip files written byte by byte, so that each of their fields may say something else than it should."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass


@dataclass
class Piece:
    """One member; what is None says what is true."""

    name: bytes = b"a.jpg"
    data: bytes = b"photo"
    method: int = 8
    flags: int = 0
    host: int = 3
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    attributes: int = 0
    disk: int = 0
    crc: int | None = None
    size_bytes: int | None = None
    packed_bytes: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    local_flags: int | None = None
    local_method: int | None = None
    local_size_bytes: int | None = None
    local_packed_bytes: int | None = None
    descriptor: bytes | None = None
    packed: bytes | None = None


def raw_deflate(data: bytes) -> bytes:
    """As zip packs it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_bytes(
    *pieces: Piece,
    front: bytes = b"",
    behind: bytes = b"",
    comment: bytes = b"",
    before_end: bytes = b"",
    corrected: bool = False,
    zip64: bytes | None = None,
    end: dict[str, int] | None = None,
) -> bytes:
    """A zip file.

    Args:
        pieces: its members.
        front: bytes before it.
        behind: bytes after it.
        comment: of the whole.
        before_end: bytes between the directory and its end's record.
        corrected: offsets count what is in front.
        zip64: what the zip64 record has more than the least; None for no such record.
        end: fields of the end's record that say something else: disk, first_disk, entries, size, offset.
    """
    body, directory = bytearray(front), bytearray()
    base = 0 if corrected else len(front)
    for piece in pieces:
        offset = len(body) - base if piece.offset is None else piece.offset
        packed, header = _local(piece)
        body += header + packed + (piece.descriptor or b"")
        directory += _central(piece, packed, offset)
    start = len(body) - base
    told = {"disk": 0, "first_disk": 0, "entries": len(pieces), "size": len(directory), "offset": start}
    out = bytes(body + directory) + before_end
    if zip64 is not None:
        at = len(out) - base
        out += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44 + len(zip64), 45, 45, 0, 0, told["entries"],
                           told["entries"], told["size"], told["offset"]) + zip64  # fmt: skip
        out += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        told |= {"entries": 0xFFFF, "size": 0xFFFFFFFF, "offset": 0xFFFFFFFF}
    told |= end or {}
    record = struct.pack("<4s4H2LH", b"PK\5\6", told["disk"], told["first_disk"], told["entries"],
                         told["entries"], told["size"], told["offset"], len(comment))  # fmt: skip
    return out + record + comment + behind


def unicode_path(name: str, of: bytes) -> bytes:
    """Info-ZIP's extra field with a name in UTF-8 (APPNOTE.TXT 4.6.9)."""
    return extra(0x7075, b"\1" + zlib.crc32(of).to_bytes(4, "little") + name.encode())


def extra(kind: int, data: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<2H", kind, len(data)) + data


def quoting_each_other(members: int, kernel: bytes, *, by_extra: bool = False) -> bytes:
    """Members that share one kernel: each takes the next one's header into its data, or into its extra field.

    Fifield, "A better zip bomb", 2019.
    """
    packed = raw_deflate(kernel)
    entries: list[tuple[bytes, int, int, int]] = []
    body, content = b"", kernel
    headers: list[int] = []
    for number in reversed(range(members)):
        name = b"%04d.jpg" % number
        if not body:
            rest, size, quote = packed, len(packed), b""
        elif by_extra:
            rest, size, quote = body, len(packed), b""
        else:
            following = body[: headers[0]]
            quote = struct.pack("<BHH", 0, len(following), len(following) ^ 0xFFFF)
            content = following + content
            rest, size = quote + body, len(quote) + len(following) + entries[0][1]
        inner = len(body) - len(packed) if by_extra and body else 0
        header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(content), size,
                             len(content), len(name), inner) + name  # fmt: skip
        entries.insert(0, (name, size, len(content), zlib.crc32(content)))
        headers.insert(0, len(header))
        body = header + rest
    at, directory = 0, b""
    for number, (name, size, unpacked, crc) in enumerate(entries):
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, size, unpacked,
                                 len(name), 0, 0, 0, 0, 0, at) + name  # fmt: skip
        at += headers[number] + (5 if not by_extra and number < members - 1 else 0)
    return (
        body
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, members, members, len(directory), len(body), 0)
    )


def _local(piece: Piece) -> tuple[bytes, bytes]:
    packed = piece.packed
    if packed is None:
        packed = raw_deflate(piece.data) if piece.method == 8 else piece.data
    follows = bool(piece.flags & 8)
    size = 0 if follows else len(piece.data)
    size = piece.local_size_bytes if piece.local_size_bytes is not None else size
    packed_bytes = 0 if follows else len(packed)
    packed_bytes = piece.local_packed_bytes if piece.local_packed_bytes is not None else packed_bytes
    name = piece.name if piece.local_name is None else piece.local_name
    flags = piece.flags if piece.local_flags is None else piece.local_flags
    method = piece.method if piece.local_method is None else piece.local_method
    crc = 0 if follows else zlib.crc32(piece.data)
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0x5A21, crc, packed_bytes, size,
                         len(name), len(piece.local_extra))  # fmt: skip
    return packed, header + name + piece.local_extra


def _central(piece: Piece, packed: bytes, offset: int) -> bytes:
    crc = zlib.crc32(piece.data) if piece.crc is None else piece.crc
    size = len(piece.data) if piece.size_bytes is None else piece.size_bytes
    packed_bytes = len(packed) if piece.packed_bytes is None else piece.packed_bytes
    entry = struct.pack("<4s2B5H3L5H2L", b"PK\1\2", 20, piece.host, 20, piece.flags, piece.method, 0, 0x5A21,
                       crc, packed_bytes, size, len(piece.name), len(piece.extra), len(piece.comment),
                       piece.disk, 0, piece.attributes, offset)  # fmt: skip
    return entry + piece.name + piece.extra + piece.comment
