import hashlib
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.words.errors import InvalidInput
from tests.support.chips_made import name_of, write_chips
from tests.support.reference_data import CHIPS, needs_chips
from training.chips import ChipArchive, part_of, sample


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> ChipArchive:
    return ChipArchive(write_chips(tmp_path_factory.mktemp("chips") / "chips.zip", 60))


@given(st.text())
def test_a_name_always_falls_into_the_same_part(name: str) -> None:
    rest = int(hashlib.sha1(name.encode()).hexdigest(), 16) % 20
    assert part_of(name) == ("test" if rest in {0, 1} else "validation" if rest == 2 else "train")


def test_labels_come_from_the_name(archive: ChipArchive) -> None:
    chip = next(chip for chip in archive.chips if chip.name == name_of(13))
    assert (chip.age, chip.gender, chip.race) == (1, 1, 3)
    assert archive.pixels(chip).shape == (200, 200, 3)


def test_parts_share_nothing_and_leave_nothing_out(archive: ChipArchive) -> None:
    parts = [archive.part(part) for part in ("train", "validation", "test")]
    assert sorted(chip.name for part in parts for chip in part) == [chip.name for chip in archive.chips]


def test_an_archive_can_be_sent_to_another_process(archive: ChipArchive) -> None:
    chip = archive.chips[0]
    before = archive.pixels(chip)
    assert np.array_equal(pickle.loads(pickle.dumps(archive)).pixels(chip), before)


def test_a_sample_is_always_the_same_and_in_order(archive: ChipArchive) -> None:
    drawn = sample(archive.chips, 10, seed=3)
    assert drawn == sample(archive.chips, 10, seed=3) != sample(archive.chips, 10, seed=4)
    assert list(drawn) == [chip for chip in archive.chips if chip in drawn]
    assert sample(archive.chips, None, seed=0) == archive.chips == sample(archive.chips, 1000, seed=0)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        (None, "chips_not_zip"),
        ({"readme.txt": b"?"}, "chips_empty"),
        ({"200_1_2_5.jpg": b"?"}, "chips_empty"),
    ],
)
def test_what_is_no_archive_of_chips_is_named(
    tmp_path: Path, members: dict[str, bytes] | None, code: str
) -> None:
    path = tmp_path / "chips.zip"
    if members is None:
        path.write_bytes(b"not a zip")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    with pytest.raises(InvalidInput) as error:
        ChipArchive(path)
    assert error.value.code == code


def test_a_missing_archive_and_an_empty_part_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no archive"):
        ChipArchive(tmp_path / "chips.zip")
    only = ChipArchive(write_chips(tmp_path / "chips.zip", 1))
    empty = next(part for part in ("train", "validation") if only.chips[0].part != part)
    with pytest.raises(InvalidInput, match=f"no chip of the {empty} part"):
        only.part(empty)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff cut off", b"\x89PNG\r\n\x1a\n", b"x" * 1_000_001])
def test_an_unreadable_chip_is_named(tmp_path: Path, data: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "chips.zip", "w") as archive:
        archive.writestr("a/25_1_2_20170116.jpg.chip.jpg", data)
    chips = ChipArchive(tmp_path / "chips.zip")
    with pytest.raises(InvalidInput, match="25_1_2") as error:
        chips.pixels(chips.chips[0])
    assert error.value.code == "chip_unreadable"


@needs_chips
def test_the_real_archive_is_split_as_its_folders_are() -> None:
    archive = ChipArchive(CHIPS)
    assert len(archive.part("train")) == 20_136
    assert len(archive.part("validation")) == 1_201
    folders = {"train": "train", "val": "validation"}
    assert all(folders[chip.member.split("/")[0]] == chip.part for chip in archive.chips)
