"""What an analyser might say of photos that do not exist, and thumbnails for them. No weights, no photos.

The same number always gives the same photo: about two faces in each, more females than males, as
many uncertain labels as real ones have, one photo in nine without a face, one in 60 failed.
"""

from __future__ import annotations

import io
import random
from functools import cache

from PIL import Image, ImageDraw

from nightshift.words.analysis import (
    AGE_GROUPS,
    AgeGroup,
    Analysis,
    Box,
    Face,
    Gender,
    Landmarks,
    PhotoError,
    Point,
    Quality,
    TimingsMs,
)
from nightshift.words.error_codes import Code

SIZES = ((6000, 4000), (4000, 6000), (4032, 3024), (3024, 4032), (5472, 3648), (1920, 1080))
LABELS = [label for label, _, _ in AGE_GROUPS]
_WEIGHTS = (1, 2, 7, 34, 27, 15, 10, 4)
_FAILURES = (
    PhotoError.of(
        Code.CORRUPT_IMAGE, "decode", "the image is damaged: image file is truncated (7 bytes not processed)"
    ),
    PhotoError.of(Code.UNSUPPORTED_FORMAT, "decode", "not an image of a known format"),
    PhotoError.of(Code.TOO_MANY_PIXELS, "decode", "the photo has 312 megapixels; 200 are allowed"),
)
_DRAWN = 240
"""Different thumbnails; photos further on take the same ones again."""


def fake_analysis(number: int) -> Analysis | PhotoError:
    """What is found in photo `number`, or why it failed."""
    dice = random.Random(number)  # noqa: S311 - a fake is no secret
    if dice.random() < 1 / 60:
        return dice.choice(_FAILURES)
    width, height = size_of(number)
    count = dice.choices(range(9), (11, 38, 24, 12, 6, 4, 2, 2, 1))[0]
    sides = sorted((dice.uniform(0.07, 0.2) for _ in range(count)), reverse=True)
    faces = tuple(
        _face(dice, index, (index + 0.5) / count, side, width, height) for index, side in enumerate(sides)
    )
    times = TimingsMs(*(round(dice.uniform(low, 4 * low), 2) for low in (20, 90, 1, 25)))
    return Analysis(width, height, 1, min(1.0, 1080 / height), faces, times, "fp32")


def size_of(number: int) -> tuple[int, int]:
    """Width and height of photo `number`, pixels."""
    return SIZES[number * 7 % 11 % len(SIZES)]


def _face(dice: random.Random, index: int, across: float, side: float, width: int, height: int) -> Face:
    middle_x, middle_y = across * width, dice.uniform(0.25, 0.6) * height
    half_x, half_y = side * height * 0.4, side * height * 0.5
    box = Box(middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)
    roll_deg = dice.gauss(0, 7)
    female = 1 / (1 + 2.718 ** -dice.gauss(0.7, 3))
    value = "female" if female >= 0.5 else "male"
    probability = max(female, 1 - female)
    shares = _ages(dice)
    label = max(shares, key=lambda name: shares[name])
    low, high = next((low, high) for name, low, high in AGE_GROUPS if name == label)
    # No number of the dice's: what they say next would be something else.
    doubts = ("blurred",) if int(middle_x) % 16 == 0 else ()
    unsure_of_gender = (*doubts, "close_call") if probability < 0.75 else doubts
    unsure_of_ages = (*doubts, "close_call") if shares[label] < 0.4 else doubts
    return Face(
        index=index,
        box=box,
        box_norm=Box(box.x1 / width, box.y1 / height, box.x2 / width, box.y2 / height),
        confidence=min(0.9999, dice.gauss(0.99, 0.02)),
        landmarks=Landmarks(*(Point(middle_x, middle_y) for _ in range(5))),
        roll_deg=roll_deg,
        aligned=abs(roll_deg) > 11.25,
        size_px=2 * half_y,
        gender=Gender(
            *(value, probability, {"female": female, "male": 1 - female}),
            *(bool(unsure_of_gender), unsure_of_gender),
        ),
        age_group=AgeGroup(
            *(label, low, high, shares[label], shares),
            *(bool(unsure_of_ages), unsure_of_ages),
        ),
        age_years=low + dice.uniform(0, 5),
        quality=Quality(0.2 if doubts else 1.1, 0.45, 2 * half_x, roll_deg, 0.0),
    )


def _ages(dice: random.Random) -> dict[str, float]:
    centre = dice.choices(range(8), _WEIGHTS)[0]
    spread = dice.uniform(0.8, 4)
    weights = [spread ** -abs(index - centre) for index in range(8)] if spread > 1 else [0.125] * 8
    return {label: weight / sum(weights) for label, weight in zip(LABELS, weights, strict=True)}


def fake_thumbnail(number: int) -> bytes:
    """A drawing of an evening as WebP, in the shape of photo `number`, 320 pixels at most."""
    width, height = size_of(number)
    scale = 320 / max(width, height)
    return _drawing(number % _DRAWN, round(width * scale), round(height * scale))


@cache
def _drawing(seed: int, width: int, height: int) -> bytes:
    dice = random.Random(seed)  # noqa: S311 - a fake is no secret
    ground = tuple(dice.randint(24, 110) for _ in range(3))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    for _ in range(24):
        x, y, r = dice.uniform(0, width), dice.uniform(0, height), dice.uniform(6, 60)
        light = tuple(min(255, part + dice.randint(-20, 70)) for part in ground)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=light)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=2)
    return out.getvalue()
