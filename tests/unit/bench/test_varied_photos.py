"""Few photos made into many."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from bench.varied_photos import write_varied
from tests.support import samples


def test_each_photo_becomes_32_of_four_sizes(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(samples.astronaut_jpeg(100, exif_orientation=6))
    first = write_varied([photo], tmp_path / "one")
    again = write_varied([photo], tmp_path / "other")
    assert len(first) == 32
    assert sorted({Image.open(path).size for path in first}) == [(50, 50), (70, 70), (100, 100), (140, 140)]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert len({path.read_bytes() for path in first}) == 32


def test_as_many_as_are_asked_for_all_of_them_different(tmp_path: Path) -> None:
    photos = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path, side in zip(photos, (60, 80), strict=True):
        path.write_bytes(samples.astronaut_jpeg(side))
    many = write_varied(photos, tmp_path / "many", 50)
    assert len(many) == 50
    assert len({path.read_bytes() for path in many}) == 50
    assert {path.name.partition("-")[0] for path in many} == {"001", "002"}
    assert len({Image.open(path).size for path in many}) == 8
