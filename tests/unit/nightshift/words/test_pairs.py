"""RAW+JPEG of one name: one photo, in folders and zip archives alike, unless something else is wished."""

from __future__ import annotations

import io
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.photos import Found, find_photos
from nightshift.words.pairs import JPEG_LEFT, RAW_LEFT, PairsWish
from nightshift.words.what_is_taken import HIDDEN
from shared.archives.member import Limits
from shared.archives.opening import open_archive
from shared.settings import Settings
from tests.support.archives_made import tar_of, zip_of
from tests.unit.nightshift.words.test_what_is_taken import CR2, HEIC, JPEG, TIFF

FILES = {
    "a/IMG_1.CR2": CR2, "a/IMG_1.JPG": JPEG,
    "a/img_2.jpeg": JPEG, "a/IMG_2.nef": TIFF,  # in capitals or not
    "a/IMG_3.HIF": HEIC, "a/IMG_3.arw": TIFF,
    "a/IMG_4.dng": TIFF,  # alone
    "a/IMG_5.jpg": JPEG, "b/IMG_5.dng": TIFF,  # in two folders
    "b/IMG_6.dng": TIFF, "b/IMG_6.png": JPEG,  # nothing that cameras write beside it
    "b/IMG_7.dng": TIFF, "b/IMG_7.dng.jpg": JPEG,  # of another name
    "b/.x.jpg": JPEG, "b/x.dng": TIFF,  # a hidden file is no photo
}  # fmt: skip
RAW = {"a/IMG_1.CR2", "a/IMG_2.nef", "a/IMG_3.arw"}
SHOWN = {"a/IMG_1.JPG", "a/img_2.jpeg", "a/IMG_3.HIF"}
TAKEN = FILES.keys() - {"b/.x.jpg"}
WISHES = {
    "one": (TAKEN - RAW, {RAW_LEFT: 3, HIDDEN: 1}),
    "jpeg": (TAKEN - RAW, {RAW_LEFT: 3, HIDDEN: 1}),
    "raw": (TAKEN - SHOWN, {JPEG_LEFT: 3, HIDDEN: 1}),
    "both": (TAKEN, {HIDDEN: 1}),
}


def in_folder(folder: Path, wish: PairsWish) -> Found:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return find_photos([folder], pairs=wish)


def in_archive(archive: bytes, kind: str, wish: PairsWish) -> tuple[set[str], dict[str, int]]:
    taken, left = set(), dict[str, int]()
    limits = Limits.of(Settings())
    for member in open_archive(io.BytesIO(archive), kind, limits, pairs=wish).members():  # type: ignore[arg-type]
        assert member.error is None
        if not member.left_alone:
            taken.add(member.name)
        elif member.other_kind:
            left[member.other_kind] = left.get(member.other_kind, 0) + 1
    return taken, left


@pytest.mark.parametrize("wish", get_args(PairsWish))
def test_folders_and_zips_follow_one_rule(wish: PairsWish, tmp_path: Path) -> None:
    found = in_folder(tmp_path, wish)
    assert ({photo.custom_id for photo in found.photos}, found.left_alone) == WISHES[wish]
    assert in_archive(zip_of(FILES), "zip", wish) == WISHES[wish]


def test_a_zip_that_is_gone_on_with_knows_its_pairs() -> None:
    opened = open_archive(io.BytesIO(zip_of(FILES)), "zip", Limits.of(Settings()), pairs="raw")
    members = list(opened.members(1))
    assert members[0].name == "a/IMG_1.JPG"
    assert members[0].left_alone


def test_in_a_tar_each_is_a_photo() -> None:
    """Which other files there are is not known while it is read."""
    assert in_archive(tar_of(FILES), "tar", "one") == (TAKEN, {HIDDEN: 1})


def test_the_raw_file_of_a_photo_is_told(tmp_path: Path) -> None:
    assert in_folder(tmp_path, "one").pairs() == [
        ("a/IMG_1.JPG", "a/IMG_1.CR2"),
        ("a/IMG_3.HIF", "a/IMG_3.arw"),
        ("a/img_2.jpeg", "a/IMG_2.nef"),
    ]
    others: tuple[PairsWish, ...] = ("jpeg", "raw", "both")
    for wish in others:
        assert in_folder(tmp_path, wish).pairs() == []


@pytest.mark.parametrize("hollow", [b"", b"not a picture at all"])
@pytest.mark.parametrize(
    ("wish", "names"),
    [("one", ("a.jpg", "a.cr2")), ("jpeg", ("a.jpg", "a.cr2")), ("raw", ("a.cr2", "a.jpg"))],
)
def test_nothing_is_left_alone_for_what_is_no_picture(
    tmp_path: Path, wish: PairsWish, names: tuple[str, str], hollow: bytes
) -> None:
    bad, good = names
    (tmp_path / bad).write_bytes(hollow)
    (tmp_path / good).write_bytes(JPEG if good.endswith("jpg") else CR2)
    found = find_photos([tmp_path], pairs=wish)
    assert ({photo.custom_id for photo in found.photos}, dict(found.left_alone)) == ({bad, good}, {})


def test_in_a_zip_nothing_is_left_alone_for_an_empty_file() -> None:
    archive = zip_of({"a.jpg": b"", "a.cr2": CR2})
    members = list(open_archive(io.BytesIO(archive), "zip", Limits.of(Settings()), pairs="one").members())
    assert [(member.name, member.left_alone) for member in members] == [("a.jpg", False), ("a.cr2", False)]
    assert members[0].error is not None


def test_it_is_said_first(tmp_path: Path) -> None:
    for number in range(9):
        for other in ("txt", "mov", "pdf", "xmp", "aae"):
            (tmp_path / f"{number}.{other}").write_bytes(b"x")
    said = in_folder(tmp_path, "one").others()
    assert said.startswith(f" (49 other files left alone: 3 {RAW_LEFT}, 9 videos, 9 documents,")


def test_another_wish_is_refused(tmp_path: Path) -> None:
    for command in (["run"], ["submit", "--server", "http://127.0.0.1:9"]):
        done = CliRunner().invoke(app, [*command, str(tmp_path), "--pairs", "none"])
        assert done.exit_code == 2
        assert "--pairs" in done.stderr


def test_files_that_are_named_are_taken(tmp_path: Path) -> None:
    in_folder(tmp_path, "one")
    paths = [tmp_path / "a/IMG_1.CR2", tmp_path / "a/IMG_1.JPG"]
    assert [photo.path for photo in find_photos(paths).photos] == paths


def test_a_raw_file_too_large_for_a_photo_is_left_alone_as_well() -> None:
    limits = Limits.of(Settings(max_photo_bytes=1000))
    archive = zip_of({"a.dng": TIFF + bytes(2000), "a.jpg": JPEG})
    members = list(open_archive(io.BytesIO(archive), "zip", limits, pairs="one").members())
    assert [(member.error, member.left_alone) for member in members] == [(None, True), (None, False)]
