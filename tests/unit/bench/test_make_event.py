from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from bench import make_event as made
from bench.make_event import EventMaker, make_event
from bench.samples import astronaut
from nightshift.words.errors import InvalidInput


@pytest.fixture(scope="module")
def maker() -> EventMaker:
    return EventMaker(seed=5)


def test_a_photo_is_the_same_whoever_makes_it_and_in_whatever_order(maker: EventMaker) -> None:
    later = maker.photo(3)
    maker.photo(0)
    again = EventMaker(seed=5).photo(3)

    assert again.data == later.data
    assert again.faces == later.faces
    assert maker.photo(4).data != later.data
    assert EventMaker(seed=6).photo(3).data != later.data


def test_photos_are_as_large_as_a_cameras_and_faces_lie_in_them(maker: EventMaker) -> None:
    for number in range(4):
        photo = maker.photo(number)
        with Image.open(io.BytesIO(photo.data)) as image:
            width, height = ImageOps.exif_transpose(image).size
        assert 12e6 <= width * height <= 24e6
        assert 1.5 < len(photo.data) * 8 / (width * height) < 5
        for x1, y1, x2, y2 in photo.faces:
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height
            assert 39.9 <= (y2 - y1) * 1080 / height <= 400.1


@pytest.mark.parametrize("count", [0, 1, 12, 30])
def test_every_crowd_finds_its_places_apart(count: int) -> None:
    for seed in range(20):
        boxes = made._places(random.Random(seed), count, 4000, 3000)
        assert len(boxes) == count
        for index, one in enumerate(boxes):
            for other in boxes[:index]:
                apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
                assert apart


def test_crowds_are_of_none_to_thirty() -> None:
    assert min(fewest for fewest, _, _ in made.CROWDS) == 0
    assert max(most for _, most, _ in made.CROWDS) == 30
    assert sum(weight for *_, weight in made.CROWDS) == 100


def test_faces_and_backgrounds_of_ones_own(tmp_path: Path) -> None:
    faces, backgrounds = tmp_path / "faces", tmp_path / "backgrounds"
    for folder, name in ((faces, "a.png"), (faces, "b.jpg"), (backgrounds, "wall.png")):
        folder.mkdir(exist_ok=True)
        picture = astronaut(100) if folder == faces else Image.new("RGB", (90, 60), (90, 120, 60))
        picture.save(folder / name)

    pasted = make_event(tmp_path / "event", 2, faces=faces, backgrounds=backgrounds, seed=1)

    assert sorted(path.name for path in (tmp_path / "event").iterdir()) == [
        "event-00000.jpg",
        "event-00001.jpg",
    ]
    maker = EventMaker(faces, backgrounds, seed=1)
    assert pasted == sum(len(maker.photo(number).faces) for number in range(2))


def test_folders_without_pictures_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput, match="no such folder"):
        EventMaker(tmp_path / "none")
    assert made.main([str(tmp_path / "out"), "--backgrounds", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("no_photos: ")
