"""Makes the archive of an event that never was: JPEGs of 12 to 24 megapixels with 0 to 30 faces each.

    python -m bench.make_event DIR --count N [--faces DIR] [--backgrounds DIR] [--seed S]

Faces are pasted with soft edges, apart from each other, 40 to 400 pixels high where the photo is 1080. By
default every face is scikit-image's portrait (`bench.samples`), varied in size, tilt, side and light, over
its textures; `--faces` takes a folder of pictures with one face each that fills most of them.
Photo n of a seed is always the same, to the byte, under the same Pillow and NumPy.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from bench.samples import FACE_BOX, astronaut, jpeg
from nightshift.photos import find_photos
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError

SHAPES = ((4000, 3000), (4624, 3468), (4896, 3672), (5184, 3456), (5472, 3648), (6000, 4000))
"""Width and height of cameras' photos, 12 to 24 megapixels; a third of the photos stand upright."""

CROWDS = ((0, 0, 10), (1, 3, 38), (4, 8, 30), (9, 16, 15), (17, 30, 7))
"""Fewest faces, most, and in how many of a hundred photos."""

LEAST_FACE, MOST_FACE = 40.0, 400.0
"""Height of a face, pixels at a photo height of 1080."""

ORIENTATIONS = (1, 1, 1, 1, 6, 8, 3)
QUALITY = 87
_GROUND = (6000, 6000)
_GROUNDS = 4
_NAMES = ("coffee.png", "rocket.jpg", "gravel.png", "brick.png", "grass.png")
_GRAIN = 10.0
"""Standard deviation of the noise, grey levels: it gives a camera's bytes a pixel."""

_EDGE = 0.16
"""Part of a pasted picture's side over which it fades out."""

_TRIES = 400


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture with one face.

    Attributes:
        image: RGB.
        face: x1 y1 x2 y2 of the face, pixels.
    """

    image: Image.Image
    face: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MadePhoto:
    """A photo and where its faces are, x1 y1 x2 y2 in the upright photo, about."""

    data: bytes
    faces: tuple[tuple[float, float, float, float], ...]


class EventMaker:
    """Faces and grounds, prepared once for any number of photos.

    Args:
        faces: folder of pictures with one face each; None for the sample portrait.
        backgrounds: folder of pictures without faces; None for scikit-image's.
        seed: everything follows from it.

    Raises:
        InvalidInput: `no_photos` or `no_such_path`, of a folder.
    """

    def __init__(self, faces: Path | None = None, backgrounds: Path | None = None, *, seed: int = 0) -> None:
        self._seed = seed
        self._portraits = [_filling(image) for image in _pictures(faces)] if faces else [_sample()]
        pictures = _pictures(backgrounds) if backgrounds else _packaged()
        dice = random.Random(f"{seed} grounds")  # noqa: S311 - no secret
        dice.shuffle(pictures)
        self._grounds = [
            _ground(picture, np.random.default_rng([abs(seed), index]))
            for index, picture in enumerate(pictures[:_GROUNDS])
        ]

    def photo(self, number: int) -> MadePhoto:
        """Photo `number`, from 0; it does not depend on how many there are."""
        dice = random.Random(f"{self._seed} {number}")  # noqa: S311 - no secret
        width, height = dice.choice(SHAPES)
        if dice.random() < 1 / 3:
            width, height = height, width
        image = self._piece_of_ground(dice, width, height)
        fewest, most, _ = dice.choices(CROWDS, [weight for *_, weight in CROWDS])[0]
        boxes = _places(dice, dice.randint(fewest, most), width, height)
        for box in boxes:
            _paste(dice, image, dice.choice(self._portraits), box)
        orientation = dice.choice(ORIENTATIONS)
        return MadePhoto(jpeg(image, exif_orientation=orientation, quality=QUALITY), tuple(boxes))

    def _piece_of_ground(self, dice: random.Random, width: int, height: int) -> Image.Image:
        ground = dice.choice(self._grounds)
        left, top = dice.randint(0, _GROUND[0] - width), dice.randint(0, _GROUND[1] - height)
        image = ground.crop((left, top, left + width, top + height))
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if dice.random() < 0.5 else image


def make_event(
    folder: Path, count: int, *, faces: Path | None = None, backgrounds: Path | None = None, seed: int = 0
) -> int:
    """Write photos `event-00000.jpg` and so on; the number of faces pasted into them.

    Raises:
        InvalidInput: see `EventMaker`.
    """
    maker = EventMaker(faces, backgrounds, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for number in range(count):
        made = maker.photo(number)
        (folder / f"event-{number:05}.jpg").write_bytes(made.data)
        total += len(made.faces)
    return total


def _sample() -> Portrait:
    # Head and shoulders, without the rest of the picture: there is nothing of another face in it.
    left, top, side = 90, 0, 270
    image = astronaut().crop((left, top, left + side, top + side))
    x1, y1, x2, y2 = FACE_BOX
    return Portrait(image, (x1 - left, y1 - top, x2 - left, y2 - top))


def _filling(image: Image.Image) -> Portrait:
    """A picture that its face fills, as UTKFace's chips do; surroundings are drawn out of its own edges."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side)))
    halo = round(side * 0.4)
    drawn = Image.fromarray(np.pad(pixels, ((halo, halo), (halo, halo), (0, 0)), mode="edge"))
    blurred = drawn.filter(ImageFilter.GaussianBlur(side * 0.05))
    blurred.paste(Image.fromarray(pixels), (halo, halo), _fading(side, side * 0.06))
    return Portrait(blurred, (halo + 0.1 * side, halo, halo + 0.9 * side, halo + side))


def _pictures(folder: Path) -> list[Image.Image]:
    if not folder.is_dir():
        raise InvalidInput(Code.NO_SUCH_PATH, f"no such folder: {folder}")
    found = find_photos([folder]).photos
    if not found:
        raise InvalidInput(Code.NO_PHOTOS, f"no pictures in {folder}")
    return [Image.open(photo.path).convert("RGB") for photo in found]


def _packaged() -> list[Image.Image]:
    folder = Path(skimage.__file__).parent / "data"
    return [Image.open(folder / name).convert("RGB") for name in _NAMES]


def _ground(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A picture enlarged to a photo's size, with texture at every scale and a sensor's grain."""
    width, height = _GROUND
    side = min(picture.size)
    square = picture.crop((0, 0, side, side)).resize((1500, 1500), Image.Resampling.BICUBIC)
    pixels: NDArray[np.floating[Any]] = np.asarray(square, dtype=np.float32)
    for cells, strength in ((60, 10.0), (400, 8.0)):
        rough = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
        pixels = (
            pixels + strength * np.asarray(rough.resize(square.size, Image.Resampling.BICUBIC))[..., None]
        )
    large = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).resize(
        _GROUND, Image.Resampling.BICUBIC
    )
    # One tile of grain for all: making 100 million numbers takes longer than all the rest.
    tile = np.rint(rng.standard_normal((500, 500, 3), dtype=np.float32) * _GRAIN).astype(np.int16)
    grain = np.tile(tile, (height // 500, width // 500, 1))
    return Image.fromarray(np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8))


def _places(
    dice: random.Random, count: int, width: int, height: int
) -> list[tuple[float, float, float, float]]:
    """Boxes of so many faces, apart from each other by most of their size, small ones more often."""
    scale = height / 1080
    boxes: list[tuple[float, float, float, float]] = []
    largest = min(MOST_FACE, max(2 * LEAST_FACE, 0.55 * min(width, height) / scale / max(1, count) ** 0.5))
    tall = LEAST_FACE * (largest / LEAST_FACE) ** dice.random()
    for attempt in range(_TRIES * max(1, count)):
        if len(boxes) == count:
            break
        if attempt % 20 == 19:
            tall = max(LEAST_FACE, tall * 0.8)  # it does not fit
        high = tall * scale
        wide = 0.78 * high
        # With hair and shoulders around it, it stays within the photo.
        x, y = dice.uniform(1.4 * wide, width - 1.4 * wide), dice.uniform(0.9 * high, height - 1.2 * high)
        box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        if all(_apart(box, other) for other in boxes):
            boxes.append(box)
            tall = LEAST_FACE * (largest / LEAST_FACE) ** dice.random()
    return boxes


def _apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    gap = 0.55 * (one[3] - one[1] + other[3] - other[1])
    return (
        one[0] - other[2] > gap
        or other[0] - one[2] > gap
        or one[1] - other[3] > gap
        or other[1] - one[3] > gap
    )


def _paste(
    dice: random.Random, image: Image.Image, portrait: Portrait, box: tuple[float, float, float, float]
) -> None:
    x1, y1, x2, y2 = portrait.face
    scale = (box[3] - box[1]) / (y2 - y1)
    size = (round(portrait.image.width * scale), round(portrait.image.height * scale))
    # Light and side first, on the small picture.
    drawn, middle_x = portrait.image, (x1 + x2) / 2
    if dice.random() < 0.5:
        drawn = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        middle_x = drawn.width - middle_x
    drawn = ImageEnhance.Brightness(drawn).enhance(dice.uniform(0.75, 1.2))
    drawn = ImageEnhance.Color(drawn).enhance(dice.uniform(0.6, 1.2))
    mask = _fading(min(drawn.size), min(drawn.size) * _EDGE)
    if mask.size != drawn.size:
        mask = mask.resize(drawn.size, Image.Resampling.BILINEAR)
    tilt_deg = dice.choice((0.0, 0.0, 1.0)) * dice.uniform(-20, 20)
    about = (middle_x, (y1 + y2) / 2)
    if tilt_deg:
        drawn = drawn.rotate(tilt_deg, Image.Resampling.BICUBIC, center=about)
        mask = mask.rotate(tilt_deg, Image.Resampling.BILINEAR, center=about)
    drawn = drawn.resize(size, Image.Resampling.BICUBIC)
    left = round((box[0] + box[2]) / 2 - about[0] * scale)
    top = round((box[1] + box[3]) / 2 - about[1] * scale)
    image.paste(drawn, (left, top), mask.resize(size, Image.Resampling.BILINEAR))


def _fading(side: int, over: float) -> Image.Image:
    """A square mask that falls from 255 to 0 over so many pixels at its edges."""
    axis = np.arange(side) + 0.5
    inside: NDArray[np.float64] = np.clip(np.minimum(axis, side - axis) / max(over, 1.0), 0, 1)
    return Image.fromarray(np.rint(255 * np.minimum(inside[:, None], inside[None, :])).astype(np.uint8))


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the event is made, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.make_event", description="Make an archive of photos."
    )
    parser.add_argument("folder", type=Path, help="where the photos go")
    parser.add_argument("--count", type=int, default=24, help="how many (default: 24)")
    parser.add_argument("--faces", type=Path, help="folder of pictures with one face each")
    parser.add_argument("--backgrounds", type=Path, help="folder of pictures without faces")
    parser.add_argument("--seed", type=int, default=0, help="everything follows from it (default: 0)")
    given = parser.parse_args(argv)
    try:
        faces = make_event(
            given.folder, given.count, faces=given.faces, backgrounds=given.backgrounds, seed=given.seed
        )
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"{given.count} photos with {faces} faces in {given.folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
