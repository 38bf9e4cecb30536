"""Decoding leaves nothing behind: no files, no descriptors, no threads, no limits moved."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from nightshift.words.errors import Unreadable
from tests.support.pictures.drawn import decoded
from tests.support.pictures.seeds import FORMATS, seeds
from tests.unit.worker.pipeline.test_hostile import BOMBS
from worker.pipeline.decoding.decode import thumbnail

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("error::ResourceWarning"),
]


def descriptors() -> set[str]:
    """What this process has open, by number and target."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue  # the listing's own
    return found


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return folder


def decode_all(files: list[bytes]) -> int:
    photos = 0
    for data in files:
        try:
            thumbnail(decoded(data))
        except Unreadable:
            continue
        photos += 1
    return photos


@pytest.mark.parametrize("image_format", FORMATS)
def test_nothing_is_left_of_good_and_bad_files(image_format: str, empty_folder: Path) -> None:
    whole = list(seeds(image_format))
    cut = [data[: len(data) * part // 5] for data in whole for part in range(1, 5)]
    flipped = [data[: len(data) // 2] + b"\xff\0" * 8 + data[len(data) // 2 + 16 :] for data in whole]
    assert decode_all(whole) == len(whole)  # and what is loaded once is loaded now
    before, threads = descriptors(), threading.active_count()
    decode_all([*whole, *cut, *flipped])
    assert descriptors() == before
    assert threading.active_count() == threads
    assert list(empty_folder.iterdir()) == []
    assert list(Path.cwd().iterdir()) == []


def test_nothing_is_left_of_giants(empty_folder: Path) -> None:
    decode_all([b"", *seeds("PNG")])
    before = descriptors()
    assert decode_all([make() for make in BOMBS.values()] + [b"", b"text"]) == 0
    assert descriptors() == before
    assert list(empty_folder.iterdir()) == []


def test_pillows_switches_are_as_they_were() -> None:
    before = Image.MAX_IMAGE_PIXELS
    for image_format in FORMATS:
        decode_all([*seeds(image_format), seeds(image_format)[0][:100]])
    assert before == Image.MAX_IMAGE_PIXELS
    assert not ImageFile.LOAD_TRUNCATED_IMAGES, "half a photo is not a photo"
