"""Tar files whose headers say what cannot be; and odd ones that are sound."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import time
import tracemalloc
from collections.abc import Callable

import pytest

from nightshift.words.archive_kinds import kind_of_archive
from nightshift.words.errors import InvalidInput
from shared.archives.member import ArchiveBroken, Limits, Member
from shared.archives.opening import open_archive
from shared.settings import Settings
from tests.support.tars_made import BLOCK, END, header, long_name, member, padded, pax

DEFAULT = Limits.of(Settings())
NOISE = random.Random(3).randbytes(3000)
FIRST = member(b"first.jpg", NOISE)
LAST = member(b"last.jpg", NOISE[:10]) + END


def read(archive: bytes, limits: Limits = DEFAULT) -> tuple[list[tuple[Member, bytes]], Exception | None]:
    """Members with their bytes until the end, or until what ended it."""
    found: list[tuple[Member, bytes]] = []
    try:
        for one in open_archive(io.BytesIO(archive), kind_of_archive(archive), limits).members():
            found.append((one, b"" if one.error or one.left_alone else b"".join(one.chunks())))
    except (ArchiveBroken, InvalidInput) as error:
        return found, error
    return found, None


def contents(archive: bytes) -> dict[str, bytes | str]:
    found, error = read(archive)
    assert error is None
    return {one.name: one.error.message if one.error else data for one, data in found}


def many(make: Callable[[int], bytes], times: int) -> bytes:
    return b"".join(map(make, range(times)))


LIES = {
    "10^30 bytes": pax((b"size", b"1" + b"0" * 30)) + header(b"b.jpg"),
    "10^15 bytes": pax((b"size", b"1" + b"0" * 15)) + header(b"b.jpg"),
    "a size of 5,000 digits": pax((b"size", b"9" * 5000)) + header(b"b.jpg"),
    "a size that is none": pax((b"size", b"-1")) + header(b"b.jpg"),
    "a size with a point": pax((b"size", b"1e9")) + header(b"b.jpg"),
    "2^95 bytes": header(b"b.jpg", b"\x80" + b"\xff" * 11),
    "a negative size": header(b"b.jpg", b"\xff" * 12),
    "no number": header(b"b.jpg", b"12x456\0"),
    "a wrong checksum": header(b"b.jpg", checksum=7),
    "no header": b"\x01" * BLOCK,
    "a chain of pax headers": many(lambda n: pax((b"path", b"%d.jpg" % n)), 5000) + header(b"b.jpg"),
    "a chain of global headers": many(lambda n: pax((b"path", b"x"), kind=b"g"), 5000) + header(b"b.jpg"),
    "a chain of long names": many(lambda n: long_name(b"x" * 200), 5000) + header(b"b.jpg"),
    "chains of all kinds": many(lambda n: long_name(b"x") + pax((b"size", b"1")), 5000),
    "a name of 1 GB": header(b"x", 1 << 30, b"L"),
    "a pax header of 1 GB": header(b"x", 1 << 30, b"x"),
    "a name of 2^95 bytes": header(b"x", b"\x80" + b"\xff" * 11, b"L"),
    "a pax header of no record": member(b"x", b"nothing", b"x"),
    "a record that is too long": member(b"x", b"99 path=a\n", b"x"),
    "a record of length 0": member(b"x", b"0 path=a\n", b"x"),
    "a record of 10^19": member(b"x", b"9" * 19 + b" path=a\n", b"x"),
    "a record without a line feed": member(b"x", b"10 path=abc", b"x"),
    "a list of holes without an end": header(b"b.jpg", 0, b"S", tail=b"\1" * 30) + b"\1" * 5000 * BLOCK,
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("zipped", [False, True], ids=["tar", "tar.gz"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_cannot_be_ends_the_archive_at_once_and_keeps_what_came_before(lie: bytes, zipped: bool) -> None:
    archive = FIRST + lie + LAST
    tracemalloc.start()
    began = time.monotonic()
    found, error = read(gzip.compress(archive, 1) if zipped else archive)
    took_s = time.monotonic() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, ArchiveBroken), found
    assert error.code == "archive_damaged"
    assert [(one.name, data) for one, data in found] == [("first.jpg", NOISE)]
    assert took_s < 20
    assert peak < 15_000_000


@pytest.mark.parametrize("lie", [lie for name, lie in LIES.items() if "chain" in name or "10^30" in name])
def test_an_archive_that_begins_like_this_is_refused(lie: bytes) -> None:
    with pytest.raises((InvalidInput, ArchiveBroken)) as refused:
        list(open_archive(io.BytesIO(lie + LAST), "tar", DEFAULT).members())
    assert getattr(refused.value, "code", None) in {"unreadable_archive", "archive_damaged"}


def test_names_without_a_member_are_damage() -> None:
    found, error = read(FIRST + pax((b"path", b"b.jpg")) + END)
    assert isinstance(error, ArchiveBroken)
    assert len(found) == 1


@pytest.mark.parametrize("zipped", [False, True], ids=["tar", "tar.gz"])
def test_one_that_is_cut_off_says_so(zipped: bool) -> None:
    archive = FIRST + member(b"b.jpg", random.Random(4).randbytes(3000))
    archive = gzip.compress(archive)[:-1500] if zipped else archive[:-1500]
    found, error = read(archive)
    assert isinstance(error, ArchiveBroken)
    assert (error.code, [one.name for one, _ in found]) == ("archive_member_damaged", ["first.jpg"])


def test_a_large_member_that_is_left_alone_is_not_read() -> None:
    class Counting(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.given += len(data)
            return data

    file = Counting(FIRST + member(b"film.mov", bytes(50_000_000)) + LAST)
    found = list(open_archive(file, "tar", DEFAULT).members())
    assert [one.other_kind for one in found] == [None, ".mov", None]
    assert file.given < 10_000


def test_progress_is_told_while_a_large_member_is_passed_over() -> None:
    archive = gzip.compress(member(b"film.mov", random.Random(5).randbytes(8_000_000)) + LAST, 1)
    calls = 0

    def progress() -> None:
        nonlocal calls
        calls += 1

    list(open_archive(io.BytesIO(archive), "tar.gz", DEFAULT, progress).members())
    assert calls > 30


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "bomb",
    [
        b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 20_000_000,  # a name without an end
        gzip.compress(b"", mtime=0) * 400_000,
        gzip.compress(FIRST[:512], mtime=0)[:-8] + b"",
        b"\x1f\x8b\x08\0" + bytes(6) + b"\0\0\0\xff\xff" * 2_000_000,  # empty blocks
    ],
    ids=["a name without an end", "empty files", "cut off", "empty blocks"],
)
def test_a_gzip_that_gives_nothing_is_left(bomb: bytes) -> None:
    began = time.monotonic()
    with pytest.raises((InvalidInput, ArchiveBroken)):
        list(open_archive(io.BytesIO(bomb), "tar.gz", DEFAULT).members())
    assert time.monotonic() - began < 20


def test_gzips_one_after_the_other_are_one() -> None:
    archive = gzip.compress(FIRST) + bytes(3000) + gzip.compress(LAST) + b"and what follows"
    assert contents(archive) == {"first.jpg": NOISE, "last.jpg": NOISE[:10]}


def test_a_gzip_of_something_else_is_named() -> None:
    for data in (b"\xff\xd8\xff" + NOISE, b"text"):
        with pytest.raises(InvalidInput, match="gzip") as refused:
            open_archive(io.BytesIO(gzip.compress(data)), "tar.gz", DEFAULT)
        assert refused.value.code == "unsupported_archive"
    assert list(open_archive(io.BytesIO(gzip.compress(END)), "tar.gz", DEFAULT).members()) == []


FIVE = {"a.jpg": b"12345"}
ONE = {"a.jpg": b"1"}
NAME_OF_NO_TEXT = header(b"\xe9.jpg", 1)
BY_SIGNED_BYTES = sum(NAME_OF_NO_TEXT[:148]) + 8 * 0x20 + sum(NAME_OF_NO_TEXT[156:]) - 256

SOUND = {
    "an old one": (header(b"a.jpg", 5, b"\0", magic=b"") + padded(b"12345"), FIVE),
    "a prefix": (
        header(b"a.jpg", 1, prefix=b"deep/er") + padded(b"1") + member(b"b.jpg", b"2"),
        {"deep/er/a.jpg": b"1", "b.jpg": b"2"},
    ),
    "GNU's large number": (header(b"a.jpg", b"\x80" + bytes(10) + b"\5") + padded(b"12345"), FIVE),
    "a long name": (long_name(b"d/" * 90 + b"x.jpg") + member(b"d", b"1"), {"d/" * 90 + "x.jpg": b"1"}),
    "a pax name": (pax((b"path", "é/鍵.jpg".encode())) + member(b"d", b"1"), {"é/鍵.jpg": b"1"}),
    "a pax size": (pax((b"size", b"5")) + header(b"a.jpg") + padded(b"12345"), FIVE),
    "a name of no text": (member(b"\xe9\xff.jpg", b"1"), {"\\xe9\\xff.jpg": b"1"}),
    "dates and the like": (
        pax((b"mtime", b"1.5"), (b"SCHILY.xattr.user.a", b"=\n=\0\xff"), (b"comment", b"c" * 50_000))
        + member(b"a.jpg", b"1"),
        ONE,
    ),
    "a global header": (pax((b"comment", b"of all"), kind=b"g") + member(b"a.jpg", b"1"), ONE),
    "a folder with a size": (header(b"d/", 700, b"5") + member(b"a.jpg", b"1"), ONE),
    "a checksum of signed bytes": (
        header(b"\xe9.jpg", 1, checksum=BY_SIGNED_BYTES) + padded(b"1"),
        {"\\xe9.jpg": b"1"},
    ),
    "no end": (member(b"a.jpg", b"1"), ONE),
}


@pytest.mark.parametrize(("archive", "right"), SOUND.values(), ids=SOUND)
def test_what_is_sound_is_read(archive: bytes, right: dict[str, bytes]) -> None:
    end = b"" if archive is SOUND["no end"][0] else END
    found, error = read(archive + end)
    assert error is None
    assert {one.name: data for one, data in found if not one.left_alone} == right
    assert all(one.error is None for one, _ in found)


def test_files_with_holes_are_named() -> None:
    sparse = (
        pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.name", b"a.jpg"))
        + header(b"x/a.jpg", 512)
        + bytes(512)
    )
    old = header(b"b.jpg", 512, b"S", magic=b"ustar  \0") + bytes(512)
    assert set(contents(sparse + old + END).values()) == {"it is a sparse file, not a file"}


def test_a_million_global_headers_do_not_fill_the_memory() -> None:
    one = pax(*((b"key%d" % n, b"v" * 90) for n in range(1000)), kind=b"g") + member(b"a.txt", b"x")
    archive = one * 50 + END
    tracemalloc.start()
    found, error = read(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (error, len(found)) == (None, 50)
    assert peak < 3_000_000


def test_a_member_that_is_too_large_in_a_gzip_fails_alone() -> None:
    limits = Limits(members=9, total_bytes=10**9, photo_bytes=1000, ratio=200)
    found, error = read(gzip.compress(FIRST + LAST), limits)
    assert error is None
    assert [one.error.code if one.error else None for one, _ in found] == ["file_too_large", None]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_it_agrees_with_tarfile(kind: int) -> None:
    out = io.BytesIO()
    names = ["a.jpg", "é.jpg", "d/" * 40 + "x" * 60 + ".jpg", *(["n" * 120 + ".jpg"] if kind else [])]
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = number * 700 + 1, 1.5 if kind == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(NOISE))
    assert contents(out.getvalue()) == {name: NOISE[: n * 700 + 1] for n, name in enumerate(names)}


def test_a_member_after_one_that_was_read_in_part_is_found() -> None:
    opened = open_archive(io.BytesIO(gzip.compress(FIRST + LAST)), "tar.gz", DEFAULT)
    members = opened.members()
    first = next(members)
    assert next(iter(first.chunks()))
    assert b"".join(next(members).chunks()) == NOISE[:10]


def test_one_photo_larger_than_it_may_be_is_not_read_to_its_end() -> None:
    limits = Limits(members=9, total_bytes=10**9, photo_bytes=10**6, ratio=200)
    archive = FIRST + member(b"b.jpg", bytes(10**6 + 1)) + LAST
    (_, large, last), error = read(archive, limits)
    assert error is None
    assert large[0].error is not None
    assert (large[0].error.code, last[0].name) == ("file_too_large", "last.jpg")
