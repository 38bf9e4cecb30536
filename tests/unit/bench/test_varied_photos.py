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
