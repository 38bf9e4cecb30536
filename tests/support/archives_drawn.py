"""Archives whose fields are drawn at random, most of them true; one number draws the same archive again."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from typing import Any

from tests.support.tars_made import END, header, long_name, member, padded, pax
from tests.support.zips_made import Piece, extra, quoting_each_other, unicode_path, zip_bytes

NOISE = random.Random(7).randbytes(5000)
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF
NUMBERS = (
    0,
    1,
    5,
    29,
    30,
    45,
    46,
    511,
    512,
    513,
    4999,
    5000,
    FULL_16,
    FULL_32 - 1,
    FULL_32,
    1 << 31,
    1 << 20,
)
FLAGS = (0, 1, 8, 0x800, 0x801, 0x808, 0x2000, FULL_16)
CONTENTS = (b"", b"x", NOISE, NOISE[:511], b"\xff\xd8\xff" + NOISE, NOISE * 60, bytes(1_000_000))
NAMES = (
    b"a.jpg",
    b"b",
    b"",
    b"\0",
    b"d/",
    b"..\\a.jpg",
    b"C:\\a.jpg",
    b"caf\xe9.jpg",
    b"x" * 2000,
    b"@eaDir/a.jpg",
)


class Draw:
    """Draws archives.

    Args:
        seed: what is drawn follows from it alone.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _of(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _number(self, bits: int = 32) -> int:
        drawn = self._of(self._of(*NUMBERS), self._random.randrange(8000), self._random.getrandbits(bits))
        return int(drawn) % (1 << bits)

    def _bytes(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randrange(most))

    def _name(self) -> bytes:
        return self._bytes(30) if self._random.random() < 0.2 else self._of(*NAMES)

    def _extra(self) -> bytes:
        wide = b"".join(self._number(64).to_bytes(8, "little") for _ in range(self._random.randrange(4)))
        drawn: bytes = self._of(
            self._bytes(40),
            extra(self._of(1, 0x7075, 0x9999), self._bytes(40)),
            extra(1, wide),
            unicode_path("é.jpg", self._name()),
        )
        return drawn

    def _piece(self) -> Piece:
        piece = Piece(
            self._name(), self._of(*CONTENTS), method=self._of(0, 8), host=self._of(0, 3, 10, 19, 99)
        )
        drawn: dict[str, Callable[[], object]] = {
            "flags": lambda: self._of(*FLAGS), "extra": self._extra, "local_extra": self._extra,
            "comment": lambda: self._bytes(300), "attributes": self._number, "disk": lambda: self._number(16),
            "crc": self._number, "size_bytes": self._number, "packed_bytes": self._number,
            "offset": self._number, "local_name": self._name, "local_flags": lambda: self._of(*FLAGS),
            "local_method": lambda: self._of(0, 8, 9, FULL_16), "local_size_bytes": self._number,
            "local_packed_bytes": self._number, "descriptor": lambda: self._bytes(24),
            "packed": lambda: self._of(self._bytes(200), b"\0\0\0\xff\xff" * 3000),
        }  # fmt: skip
        for field in self._random.sample(sorted(drawn), self._of(0, 0, 0, 1, 1, 2, 4)):
            setattr(piece, field, drawn[field]())
        return piece

    def zip(self) -> bytes:
        """A zip file."""
        if self._random.random() < 0.05:
            return quoting_each_other(
                self._random.randrange(1, 40), NOISE * 3, by_extra=self._of(True, False)
            )
        around: dict[str, Any] = {
            "front": self._of(b"MZ", b"PK00", NOISE), "behind": self._of(b"\n", bytes(999)),
            "comment": self._of(self._bytes(80), b"PK\5\6" * 20), "before_end": self._bytes(30),
            "corrected": True, "zip64": self._bytes(60),
            "end": {self._of("disk", "first_disk", "entries"): self._number(16),
                    self._of("size", "offset"): self._number()},
        }  # fmt: skip
        chosen = self._random.sample(sorted(around), self._of(0, 0, 0, 1, 1, 2))
        pieces = [self._piece() for _ in range(self._random.randrange(7))]
        return self._damaged(zip_bytes(*pieces, **{name: around[name] for name in chosen}))

    def _tar_part(self) -> bytes:
        key = self._of(b"path", b"size", b"linkpath", b"GNU.sparse.size", b"", b"mtime")
        value = self._of(self._bytes(60), b"1" + b"0" * 30, b"5000", b"-1", b"9" * 5000, b"")
        kind = bytes([self._of(*b"0\0125S7gxLKDVX9")])
        size = self._of(
            self._number(32), b"\x80" + b"\xff" * 11, b"\xff" * 12, b"\x80" + bytes(11), b"9", b"-1"
        )
        kinds: list[Callable[[], bytes]] = [
            lambda: member(self._name()[:100], self._of(*CONTENTS)),
            lambda: member(self._name()[:100], self._of(*CONTENTS), kind),
            lambda: header(self._name()[:100], size, kind, tail=self._of(b"", b"\1" * 30)) + padded(NOISE),
            lambda: pax((key, value), (b"comment", NOISE), kind=self._of(b"x", b"g", b"X")),
            lambda: pax((key, value)) * self._of(3, 15, 17, 2000),
            lambda: long_name(self._name()) * self._of(1, 1, 17, 2000),
            lambda: padded(self._bytes(600)),
            lambda: END,
        ]
        return self._random.choices(kinds, (12, 3, 3, 3, 2, 3, 1, 1))[0]()

    def tar(self) -> bytes:
        """A tar, plain or gzipped."""
        data = b"".join(self._tar_part() for _ in range(self._random.randrange(1, 9))) + self._of(
            END, b"", b"\1"
        )
        if self._random.random() < 0.5:
            return self._damaged(
                gzip.compress(self._damaged(data), 1, mtime=0) + self._of(b"", bytes(700), b"x")
            )
        return self._damaged(data)

    def _damaged(self, data: bytes) -> bytes:
        """Half of them as they are; others with some bytes changed, moved or lost."""
        out = bytearray(data)
        for _ in range(self._of(0, 0, 0, 1, 3)):
            at, to = (self._random.randrange(len(out) + 1) for _ in range(2))
            if self._random.random() < 0.5:
                # Where the structure is.
                at = max(0, len(out) - self._random.randrange(400))
            change = self._of("set", "cut", "insert", "repeat")
            if change == "set":
                out[at : at + 1] = self._bytes(3)
            elif change == "cut":
                del out[at : at + self._random.randrange(600)]
            elif change == "insert":
                out[at:at] = self._bytes(40)
            else:
                out[at:at] = out[to : to + 600]
        return bytes(out)
