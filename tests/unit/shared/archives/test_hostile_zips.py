"""Zip files whose directory says what cannot be, or what must not be believed."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc

import pytest

from nightshift.words.archive_kinds import kind_of_archive_file
from nightshift.words.errors import InvalidInput, Unreadable
from shared.archives.member import Limits, Member
from shared.archives.opening import open_archive
from shared.settings import Settings
from tests.support.zips_made import Piece, extra, quoting_each_other, zip_bytes

DEFAULT = Limits.of(Settings())
NOISE = random.Random(1).randbytes(3000)


def members(archive: bytes, limits: Limits = DEFAULT) -> list[Member]:
    file = io.BytesIO(archive)
    return list(open_archive(file, kind_of_archive_file(file), limits).members())


def outcomes(archive: bytes) -> dict[str, str | int]:
    """Bytes that came out by name, or the code of what is wrong."""
    found: dict[str, str | int] = {}
    file = io.BytesIO(archive)
    for member in open_archive(file, "zip", DEFAULT).members():
        try:
            found[member.name] = member.error.code if member.error else len(b"".join(member.chunks()))
        except Unreadable as error:
            found[member.name] = error.code
    return found


def refusal(archive: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        members(archive)
    return refused.value.code


@pytest.mark.parametrize("by_extra", [False, True])
def test_members_over_each_other_are_refused_whatever_the_ratio(by_extra: bool) -> None:
    """126 kB of them became 1.9 GB: each claims bytes that others have claimed."""
    kernel = bytearray(2_000_000)
    for at in range(0, len(kernel), 100_000):
        kernel[at : at + 430] = random.Random(at).randbytes(430)
    archive = quoting_each_other(50, bytes(kernel), by_extra=by_extra)
    assert len(archive) < 40_000
    assert refusal(archive) == "archive_limit"


def test_one_member_told_of_twice_is_refused() -> None:
    for offset in (0, 7):
        second = Piece(b"b.jpg", NOISE, offset=offset)
        assert refusal(zip_bytes(Piece(b"a.jpg", NOISE), second)) == "archive_limit"


def test_members_in_another_order_than_their_entries_are_read() -> None:
    archive = zip_bytes(Piece(b"a.jpg", NOISE), Piece(b"b.jpg", NOISE[:9]))
    at = archive.index(b"PK\1\2")
    middle, end = archive.index(b"PK\1\2", at + 4), archive.index(b"PK\5\6")
    turned = archive[:at] + archive[middle:end] + archive[at:middle] + archive[end:]
    assert outcomes(turned) == {"b.jpg": 9, "a.jpg": 3000}


def test_a_heavy_directory_is_refused_in_flat_memory() -> None:
    entries = 450
    padded = [
        Piece(b"%d.jpg" % n, extra=extra(0x9999, bytes(65_000)), comment=bytes(65_000))
        for n in range(entries)
    ]
    archive = zip_bytes(*padded)
    assert len(archive) > 58_000_000
    del padded
    tracemalloc.start()
    code = refusal(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (code, peak < 2_000_000) == ("archive_limit", True), peak


def test_a_directory_is_read_in_flat_memory() -> None:
    archive = zip_bytes(*(Piece(b"%d.jpg" % n, comment=bytes(1000)) for n in range(30_000)))
    file = io.BytesIO(archive)
    tracemalloc.start()
    opened = open_archive(file, "zip", DEFAULT)
    count = sum(1 for _ in opened.members())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A tenth of the directory: a block of it, and two numbers a member.
    assert (count, peak < 5_000_000) == (30_000, True), peak


@pytest.mark.parametrize(
    "lie",
    [
        {"local_size_bytes": 2999},
        {"local_packed_bytes": 1},
        {"local_method": 0},
        {"local_flags": 1},
        {"local_name": b"other.jpg"},
        {"local_extra": bytes(64)},
        {"size_bytes": 2999},
        {"crc": 1},
        {"offset": 1 << 31},
        {"packed_bytes": 1 << 30},
        {"size_bytes": 0xFFFFFFFF},
        {"size_bytes": 0xFFFFFFFF, "extra": extra(1, b"1234")},
        {"offset": 0xFFFFFFFF, "extra": extra(1, b"\xff" * 8)},
        {"packed": b"\0" * 3000, "packed_bytes": 3000},
        {"disk": 3},
    ],
)
def test_a_member_that_lies_fails_alone(lie: dict[str, object]) -> None:
    liar = Piece(b"b.jpg", NOISE, **lie)  # type: ignore[arg-type]
    found = outcomes(zip_bytes(Piece(b"a.jpg", NOISE), liar, Piece(b"c.jpg", NOISE)))
    if "local_extra" in lie:
        # Longer than the directory tells, and yet true.
        assert found.pop("b.jpg") == 3000
    else:
        assert found.pop("b.jpg") == "archive_member_damaged"
    assert found == {"a.jpg": 3000, "c.jpg": 3000}


def test_a_header_longer_than_the_directory_tells_reaches_into_no_other() -> None:
    """The data would be the next member's, header and all."""
    second = Piece(b"b.jpg", NOISE, method=0)
    first = Piece(b"a.jpg", b"1234", method=0)
    archive = bytearray(zip_bytes(first, second))
    struct.pack_into("<H", archive, 28, 500)
    assert outcomes(bytes(archive)) == {"a.jpg": "archive_member_damaged", "b.jpg": 3000}


def test_a_member_that_reaches_into_the_directory_fails() -> None:
    archive = bytearray(zip_bytes(Piece(b"a.jpg", NOISE, method=0)))
    struct.pack_into("<H", archive, 28, 20)
    assert outcomes(bytes(archive)) == {"a.jpg": "archive_member_damaged"}


def test_what_unpacks_for_ever_to_nothing_is_not_unpacked() -> None:
    """Empty blocks of deflate: gigabytes would be read of which no byte comes, and no sign of progress."""
    packed = b"\0\0\0\xff\xff" * 100_000 + b"\3\0"
    assert outcomes(zip_bytes(Piece(b"a.jpg", b"x", packed=packed))) == {"a.jpg": "archive_member_damaged"}


def test_a_deflated_member_gives_no_more_than_it_says() -> None:
    huge = Piece(b"a.jpg", bytes(90_000_000), size_bytes=400_000, local_size_bytes=400_000)
    file = io.BytesIO(zip_bytes(huge))
    limits = Limits(members=9, total_bytes=10**9, photo_bytes=10**9, ratio=10_000)
    (member,) = open_archive(file, "zip", limits).members()
    tracemalloc.start()
    with pytest.raises(Unreadable, match="more bytes than it says"):
        for _ in member.chunks():
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("method", "said"), [(9, "Deflate64"), (12, "bzip2"), (14, "LZMA"), (93, "Zstandard"), (77, "method 77")]
)
def test_methods_are_named(method: int, said: str) -> None:
    (member,) = members(zip_bytes(Piece(b"a.jpg", NOISE, method=method)))
    assert member.error is not None
    assert (member.error.code, said in member.error.message) == ("archive_member_unsafe", True)


@pytest.mark.parametrize("piece", [Piece(flags=1), Piece(method=99), Piece(flags=0x41)])
def test_every_kind_of_encryption_is_named(piece: Piece) -> None:
    assert outcomes(zip_bytes(piece)) == {"a.jpg": "archive_encrypted"}
