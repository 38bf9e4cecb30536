"""Zip files as people's programs write them: read as Info-ZIP and 7-Zip read them."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from nightshift.words.archive_kinds import kind_of_archive_file
from nightshift.words.errors import InvalidInput
from shared.archives.member import Limits, Member
from shared.archives.opening import open_archive
from shared.settings import Settings
from tests.support.archives_made import zip_of
from tests.support.zips_made import Piece, extra, unicode_path, zip_bytes

LIMITS = Limits.of(Settings())
NOISE = random.Random(2).randbytes(2000)
UNIX, MACOS, DOS = 3, 19, 0


def members(archive: bytes) -> list[Member]:
    file = io.BytesIO(archive)
    return list(open_archive(file, kind_of_archive_file(file), LIMITS).members())


def contents(archive: bytes) -> dict[str, bytes]:
    file = io.BytesIO(archive)
    opened = open_archive(file, kind_of_archive_file(file), LIMITS)
    return {member.name: b"".join(member.chunks()) for member in opened.members() if not member.error}


NAMES = {
    "flagged": (Piece("café.jpg".encode(), flags=0x800), "café.jpg"),
    "macOS, no flag": (Piece("cafe\u0301 鍵.jpg".encode(), host=UNIX), "cafe\u0301 鍵.jpg"),
    "macOS by number": (Piece("été.jpg".encode(), host=MACOS), "été.jpg"),
    "Windows, no flag": (Piece("été.jpg".encode(), host=DOS), "été.jpg"),
    "DOS": (Piece(b"caf\x82.jpg", host=DOS), "café.jpg"),
    "NTFS": (Piece(b"stra\xe1e.jpg", host=10), "straße.jpg"),
    "Unix, unknown code page": (Piece(b"caf\xe9.jpg", host=UNIX), "caf\\xe9.jpg"),
    "flagged, a wrong byte": (Piece(b"caf\xe9.jpg", flags=0x800), "caf\\xe9.jpg"),
    "flagged, cut in a letter": (Piece(b"\xe9\x8d.jpg", flags=0x800, host=DOS), "\\xe9\\x8d.jpg"),
    "field of its own": (Piece(b"kaf__.jpg", extra=unicode_path("каф.jpg", b"kaf__.jpg")), "каф.jpg"),
    "field of an older name": (Piece(b"new.jpg", extra=unicode_path("old.jpg", b"old.jpg")), "new.jpg"),
    "field cut short": (Piece(b"a.jpg", extra=extra(0x7075, b"\1\0")), "a.jpg"),
}


@pytest.mark.parametrize(("piece", "name"), NAMES.values(), ids=NAMES)
def test_names_are_read_as_they_were_meant_and_refuse_nothing(piece: Piece, name: str) -> None:
    piece.data = NOISE
    assert contents(zip_bytes(Piece(b"first.jpg", NOISE), piece)) == {"first.jpg": NOISE, name: NOISE}


@pytest.mark.skipif(not shutil.which("zipinfo"), reason="optional: Info-ZIP is not installed")
@pytest.mark.parametrize("case", ["flagged", "macOS, no flag", "DOS", "field of its own"])
def test_info_zip_reads_the_same_names(case: str, tmp_path: Path) -> None:
    piece, name = NAMES[case]
    (tmp_path / "a.zip").write_bytes(zip_bytes(piece))
    said = subprocess.run(
        ["zipinfo", "-1", "a.zip"], cwd=tmp_path, capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True
    )
    # What it has converted from DOS it prints in Latin-1.
    assert said.stdout.decode("latin-1" if case == "DOS" else "utf-8").strip() == name


@pytest.mark.parametrize("name", ["Party 22:15.jpg", "a: b/c:d.jpg", "C:photo.jpg", "12:00/x.jpg"])
def test_a_colon_is_no_absolute_path(name: str) -> None:
    (member,) = members(zip_of({name: NOISE}))
    assert (member.name, member.error) == (name, None)


@pytest.mark.parametrize("name", ["C:\\a.jpg", "c:/a.jpg", "/a.jpg", "\\\\host\\a.jpg", "a\\..\\..\\b.jpg"])
def test_what_is_absolute_or_leads_out_is_refused(name: str) -> None:
    (member,) = members(zip_of({name: NOISE}))
    assert member.error is not None
    assert member.error.code == "archive_member_unsafe"


def test_backslashes_are_separators_for_what_is_left_alone() -> None:
    written = [
        Piece(b"__MACOSX\\day\\._a.jpg", NOISE, host=DOS),
        Piece(b"day\\@eaDir\\a.jpg", NOISE, host=DOS),
        Piece(b"day\\a.jpg", NOISE, host=DOS),
        Piece(b"day\\", b"", method=0, host=DOS),
        Piece(b"folder", b"", method=0, host=DOS, attributes=0x10),
    ]
    found = members(zip_bytes(*written))
    assert [member.name for member in found if not member.left_alone] == ["day\\a.jpg"]
    assert [member.other_kind for member in found] == [None, "of a system", None, None, None]


WHOLE = [Piece(b"a.jpg", NOISE), Piece(b"b.jpg", NOISE[::-1])]
RIGHT = {"a.jpg": NOISE, "b.jpg": NOISE[::-1]}


@pytest.mark.parametrize(
    "archive",
    {
        "zip64": zip_bytes(*WHOLE, zip64=b""),
        "zip64, more than the least": zip_bytes(*WHOLE, zip64=bytes(range(200))),
        "zip64 behind a program": zip_bytes(*WHOLE, front=b"MZ" + bytes(5000), zip64=bytes(28)),
        "behind a program": zip_bytes(*WHOLE, front=b"MZ" + bytes(5000)),
        "behind a program, offsets corrected": zip_bytes(*WHOLE, front=b"#!/bin/sh\n" * 99, corrected=True),
        "behind anything": zip_bytes(*WHOLE, front=NOISE),
        "something behind": zip_bytes(*WHOLE, behind=b"\r\n"),
        "a block behind": zip_bytes(*WHOLE, behind=bytes(100_000)),
        "a comment": zip_bytes(*WHOLE, comment=b"of my summer"),
        "an end's signature in the comment": zip_bytes(*WHOLE, comment=b"see PK\5\6 and " + bytes(40)),
        "a whole end in the comment": zip_bytes(
            *WHOLE, comment=b"PK\5\6" + bytes(4) + b"\1\0\1\0" + b"\x2e\0\0\0" * 2 + b"\0\0"
        ),
        "a directory's signature in the comment": zip_bytes(*WHOLE, comment=b"PK\1\2" + bytes(60)),
        "a signature before the end": zip_bytes(*WHOLE, before_end=b"PK\5\5\4\0sign"),
        "no count": zip_bytes(*WHOLE, end={"entries": 0}),
        "too high a count": zip_bytes(*WHOLE, end={"entries": 30}),
        "made to be split": b"PK00" + zip_bytes(*WHOLE, front=b"PK00", corrected=True)[4:],
        "sizes behind the data": zip_bytes(
            *(Piece(piece.name, piece.data, flags=8, descriptor=b"PK\7\x08" + bytes(12)) for piece in WHOLE)
        ),
        "zip64 fields that were not needed": zip_bytes(
            *(Piece(piece.name, piece.data, extra=extra(1, bytes(28))) for piece in WHOLE)
        ),
        "zip64 fields that were needed": zip_bytes(
            *(
                Piece(
                    piece.name,
                    piece.data,
                    method=0,
                    size_bytes=0xFFFFFFFF,
                    packed_bytes=0xFFFFFFFF,
                    extra=extra(0x5455, b"\1time") + extra(1, (2000).to_bytes(8, "little") * 2 + bytes(12)),
                    local_size_bytes=0xFFFFFFFF,
                    local_packed_bytes=0xFFFFFFFF,
                    local_extra=extra(1, (2000).to_bytes(8, "little") * 2),
                )
                for piece in WHOLE
            )
        ),
    }.items(),
    ids=lambda case: case[0] if isinstance(case, tuple) else None,
)
def test_it_is_read_whatever_stands_around_it(archive: tuple[str, bytes]) -> None:
    assert contents(archive[1]) == RIGHT


@pytest.mark.parametrize(
    "archive",
    [
        zip_bytes(*WHOLE, zip64=b"", end={"entries": 1}),
        zip_bytes(*WHOLE, zip64=b"", end={"size": 46}),
        zip_bytes(*WHOLE, end={"size": 1 << 30}),
        zip_bytes(*WHOLE, end={"offset": 1 << 30}),
        zip_bytes(*WHOLE)[200:],
    ],
)
def test_an_end_that_cannot_be_true_is_refused(archive: bytes) -> None:
    file = io.BytesIO(archive)
    with pytest.raises(InvalidInput) as refused:
        open_archive(file, "zip", LIMITS)
    assert refused.value.code == "unreadable_archive"


def test_a_zip_in_a_zip_that_was_cut_off_is_not_taken_for_the_whole() -> None:
    inner = Piece(b"inner.zip", zip_bytes(Piece(b"inside.jpg", NOISE)), method=0)
    whole = zip_bytes(Piece(b"a.jpg", NOISE), inner, Piece(b"b.jpg", NOISE))
    with pytest.raises(InvalidInput) as refused:
        members(whole[: whole.index(b"b.jpg") + 60])
    assert refused.value.code == "unreadable_archive"


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "MP4"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_not_read_is_named_for_what_it_is(beginning: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        kind_of_archive_file(io.BytesIO(beginning + bytes(1000)))
    assert refused.value.code == "unsupported_archive"


@pytest.mark.parametrize(
    "archive",
    [
        b"PK\7\x08" + zip_bytes(*WHOLE)[:3000],  # .z01
        zip_bytes(*WHOLE, end={"disk": 1}),
        zip_bytes(*WHOLE, end={"disk": 2, "first_disk": 2}),
        NOISE + zip_bytes(*WHOLE, end={"disk": 2})[1000:],  # the last part begins as anything
    ],
)
def test_a_part_of_a_split_zip_is_named(archive: bytes) -> None:
    file = io.BytesIO(archive)
    with pytest.raises(InvalidInput, match="split zip") as refused:
        open_archive(file, kind_of_archive_file(file), LIMITS)
    assert refused.value.code == "unsupported_archive"
