from __future__ import annotations

import gzip
import io
import random
import tarfile
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightshift.words.archive_kinds import kind_of_archive
from nightshift.words.errors import InvalidInput, Unreadable
from nightshift.words.photo_names import CUSTOM_ID_BYTES
from shared.archives.member import ArchiveBroken, Limits, Member, storable_name
from shared.archives.opening import open_archive
from tests.support.archives_made import encrypted, quine, tar_of, told_in_directory, zip_of
from tests.support.edits import Edit, edit_lists, edited

LIMITS = Limits(members=1000, total_bytes=10**8, photo_bytes=10**6, ratio=200)
NOISE = random.Random(1).randbytes(3000)
PHOTOS = {"a.jpg": NOISE, "evening/b.JPEG": NOISE[::-1], "evening/ç.png": NOISE[:7]}


def members(archive: bytes, limits: Limits = LIMITS) -> list[tuple[Member, bytes]]:
    """Every member with its bytes, none for what is not taken."""
    opened = open_archive(io.BytesIO(archive), kind_of_archive(archive), limits)
    return [
        (member, b"" if member.error or member.left_alone else b"".join(member.chunks()))
        for member in opened.members()
    ]


def codes(archive: bytes, limits: Limits = LIMITS) -> dict[str, str | None]:
    """Error code by name, of all that is not left alone."""
    opened = open_archive(io.BytesIO(archive), kind_of_archive(archive), limits)
    return {m.name: m.error.code if m.error else None for m in opened.members() if not m.left_alone}


@pytest.mark.parametrize(
    ("kind", "archive"),
    [
        ("zip", zip_of(PHOTOS)),
        ("zip", zip_of(PHOTOS, packed=True)),
        ("tar", tar_of(PHOTOS)),
        ("tar.gz", tar_of(PHOTOS, gzipped=True)),
    ],
)
def test_what_was_put_in_comes_out(kind: str, archive: bytes) -> None:
    assert kind_of_archive(archive[:600]) == kind
    found = members(archive)
    assert {member.name: data for member, data in found} == PHOTOS
    assert [member.position for member, _ in found] == [0, 1, 2]


def test_it_is_recognised_by_its_bytes_alone() -> None:
    for data in (
        b"",
        b"photo",
        b"\x89PNG\r\n\x1a\n" + bytes(600),
        b"7z\xbc\xaf\x27\x1c" + bytes(600),
        bytes(600),
    ):
        with pytest.raises(InvalidInput) as refused:
            kind_of_archive(data)
        assert refused.value.code == "unsupported_archive"


UNSAFE = [
    "../up.jpg",
    "a/../../up.jpg",
    "/etc/photo.jpg",
    "..\\up.jpg",
    "C:\\photo.jpg",
    "\\\\host\\photo.jpg",
]


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_name_that_leads_out_is_refused_and_shown_as_it_is(make) -> None:  # type: ignore[no-untyped-def]
    assert codes(make(dict.fromkeys(UNSAFE, b"photo"))) == dict.fromkeys(UNSAFE, "archive_member_unsafe")


def test_links_and_devices_are_refused() -> None:
    assert codes(zip_of({}, links={"l.jpg": "/etc/passwd"})) == {"l.jpg": "archive_member_unsafe"}
    kinds = {
        "symlink.jpg": tarfile.SYMTYPE,
        "hardlink.jpg": tarfile.LNKTYPE,
        "char.jpg": tarfile.CHRTYPE,
        "block.jpg": tarfile.BLKTYPE,
        "pipe.jpg": tarfile.FIFOTYPE,
    }
    assert codes(tar_of({}, others=kinds)) == dict.fromkeys(kinds, "archive_member_unsafe")


def test_archives_in_archives_are_refused_unopened() -> None:
    nested = {"in.zip": zip_of(PHOTOS), "in.tar.gz": b"", "in.7z": b""}
    assert codes(zip_of(nested)) == dict.fromkeys(nested, "archive_nested")
    assert codes(quine()) == {"r/r.zip": "archive_nested"}


def test_what_is_no_photo_is_left_alone_and_counted_by_its_kind() -> None:
    archive = zip_of(
        {
            "d/": b"",
            "d/n.txt": b"x",
            "d/m.MOV": b"x",
            "README": b"x",
            "__MACOSX/d/._a.jpg": b"x",
            ".thumb.jpg": b"x",
        }
    )
    found = [member for member, _ in members(archive)]
    assert all(member.left_alone for member in found)
    assert [member.other_kind for member in found] == [None, ".txt", ".mov", "no extension", None, "hidden"]


def test_a_member_with_a_password_fails_and_its_neighbours_do_not() -> None:
    archive = encrypted(zip_of(PHOTOS), "a.jpg")
    assert codes(archive) == {"a.jpg": "archive_encrypted", "evening/b.JPEG": None, "evening/ç.png": None}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_on_what_they_give_are_refused(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.jpg", NOISE)
    assert codes(out.getvalue()) == {"a.jpg": "archive_member_unsafe"}


def test_a_member_that_grows_too_much_is_refused_unread() -> None:
    archive = zip_of({"bomb.bmp": bytes(5_000_000), "a.jpg": NOISE}, packed=True)
    limits = Limits(members=10, total_bytes=10**9, photo_bytes=10**9, ratio=100)
    assert codes(archive, limits) == {"bomb.bmp": "archive_member_unsafe", "a.jpg": None}
    assert codes(archive) == {"bomb.bmp": "file_too_large", "a.jpg": None}


def test_a_false_size_gives_no_more_than_it_says() -> None:
    archive = told_in_directory(zip_of({"a.jpg": NOISE, "b.jpg": NOISE}), "a.jpg", size_bytes=10)
    opened = open_archive(io.BytesIO(archive), "zip", LIMITS)
    first, second = opened.members()
    with pytest.raises(Unreadable) as damaged:
        list(first.chunks())
    assert damaged.value.code == "archive_member_damaged"
    assert b"".join(second.chunks()) == NOISE


def test_a_damaged_member_fails_alone() -> None:
    archive = bytearray(zip_of(PHOTOS))
    archive[100] ^= 0xFF
    opened = open_archive(io.BytesIO(bytes(archive)), "zip", LIMITS)
    first, *others = opened.members()
    with pytest.raises(Unreadable) as damaged:
        list(first.chunks())
    assert damaged.value.code == "archive_member_damaged"
    assert [b"".join(member.chunks()) for member in others] == list(PHOTOS.values())[1:]


@pytest.mark.parametrize("gzipped", [False, True])
def test_a_tar_that_is_cut_off_gives_what_stands_before_the_cut(gzipped: bool) -> None:
    archive = tar_of({f"{n}.jpg": random.Random(n).randbytes(5000) for n in range(10)}, gzipped=gzipped)
    opened = open_archive(io.BytesIO(archive[: len(archive) // 2]), kind_of_archive(archive), LIMITS)
    names = []
    with pytest.raises(ArchiveBroken):
        for member in opened.members():
            assert len(b"".join(member.chunks())) == 5000
            names.append(member.name)
    assert names == [f"{n}.jpg" for n in range(len(names))]
    assert 2 <= len(names) <= 5


def test_a_zip_without_its_directory_is_refused() -> None:
    archive = zip_of(PHOTOS)
    for broken in (archive[:-30], archive[: len(archive) // 2], b"PK\x03\x04"):
        with pytest.raises(InvalidInput) as refused:
            members(broken)
        assert refused.value.code == "unreadable_archive"


def test_too_many_members_are_refused_before_they_fill_the_memory() -> None:
    archive = zip_of({f"{n}.jpg": b"" for n in range(200_000)})
    tracemalloc.start()
    with pytest.raises(InvalidInput) as refused:
        members(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "archive_limit"
    assert peak < 1_000_000


def test_the_directory_is_counted_whatever_it_says() -> None:
    archive = bytearray(zip_of({f"{n}.jpg": b"" for n in range(2000)}))
    end = archive.rindex(b"PK\x05\x06")
    archive[end + 8 : end + 12] = (1).to_bytes(2, "little") * 2
    with pytest.raises(InvalidInput) as refused:
        members(bytes(archive))
    assert refused.value.code == "archive_limit"


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_too_many_bytes_are_refused(make) -> None:  # type: ignore[no-untyped-def]
    limits = Limits(members=10, total_bytes=5000, photo_bytes=10**6, ratio=200)
    with pytest.raises(InvalidInput) as refused:
        members(make(PHOTOS), limits)
    assert refused.value.code == "archive_limit"


def test_a_gzip_bomb_is_left_at_its_limit() -> None:
    bomb = gzip.compress(tar_of({"a.bmp": bytes(60_000_000)}), 9)
    limits = Limits(members=10, total_bytes=10**9, photo_bytes=10**8, ratio=100)
    with pytest.raises(InvalidInput) as refused:
        members(bomb, limits)
    assert refused.value.code == "archive_limit"


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_would_fill_the_memory_ends_the_archive(kind: bytes) -> None:
    first = tar_of({"a.jpg": NOISE})[: 512 + 3072]
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, 40_000_000
    archive = gzip.compress(first + header.tobuf() + bytes(40_000_000), 1)
    limits = Limits(members=10, total_bytes=10**9, photo_bytes=10**6, ratio=10_000)
    opened = open_archive(io.BytesIO(archive), "tar.gz", limits)
    names = []
    tracemalloc.start()
    with pytest.raises(ArchiveBroken, match="header is too long"):
        names += [member.name for member in opened.members()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_names_that_are_no_text_are_spelled_out_and_stay_apart() -> None:
    archive = tar_of(
        {
            b"\xe9.jpg".decode("utf-8", "surrogateescape"): b"1",
            b"\xe8.jpg".decode("utf-8", "surrogateescape"): b"2",
        }
    )
    assert [member.name for member, _ in members(archive)] == ["\\xe9.jpg", "\\xe8.jpg"]


@pytest.mark.parametrize("name", ["", "\0", "\0.jpg"])
def test_a_member_without_a_name_is_left_alone(name: str) -> None:
    # Found by mutation: zipfile cuts a name at its first NUL.
    archive = zip_of({"xx.jpg": NOISE, "b.jpg": NOISE}).replace(b"xx.jpg", (name.encode() + bytes(6))[:6])
    first, second = (member for member, _ in members(archive))
    assert (first.name, first.left_alone, second.name) == ("?", True, "b.jpg")


def test_a_member_whose_name_was_cut_is_refused() -> None:
    for name in ("x" * 1020 + ".jpg", "\u9375" * 832 + ".jpg", "\u9375" * 900 + ".jpg"):
        ((member, _),) = members(zip_of({name: NOISE}))
        assert member.error is not None
        assert "its name has" in member.error.message
    ((member, _),) = members(zip_of({"\u9375" * 826 + ".jpg": NOISE}))
    assert member.error is None


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_every_name_can_be_stored(name: str) -> None:
    stored = storable_name(name)
    assert 1 <= len(stored) <= 1024
    assert len(stored.encode()) <= CUSTOM_ID_BYTES
    assert stored.encode("utf-8")
    assert "\x00" not in stored


SEEDS = [zip_of(PHOTOS, packed=True), zip_of(PHOTOS), tar_of(PHOTOS), tar_of(PHOTOS, gzipped=True), quine()]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [0, pytest.param(120, marks=pytest.mark.soak)])
def test_damage_gives_members_and_named_errors_and_nothing_else(seconds: int) -> None:
    end = time.monotonic() + seconds
    tried = 0

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(SEEDS), edit_lists)
    def one_round(seed: bytes, todo: list[Edit]) -> None:
        nonlocal tried
        if tried < 100 or time.monotonic() < end:
            tried += 1
            read_through(edited(seed, todo))

    # Outside the soak each round is the same one.
    one_round()
    while time.monotonic() < end:
        one_round()
    assert tried > 20


def read_through(archive: bytes) -> None:
    """Read what may be hostile; only what is expected of it may be raised."""
    try:
        opened = open_archive(io.BytesIO(archive), kind_of_archive(archive), LIMITS)
        for member in opened.members():
            assert member.name == storable_name(member.name)
            if member.error or member.left_alone:
                continue
            try:
                assert sum(map(len, member.chunks())) <= LIMITS.photo_bytes
            except Unreadable as error:
                assert error.code in {"archive_member_damaged", "file_too_large"}
    except InvalidInput as error:
        assert error.code in {"unsupported_archive", "unreadable_archive", "archive_limit"}
    except ArchiveBroken:
        pass
