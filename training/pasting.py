"""Known faces pasted into photos at known places, sizes and tilts.

UTKFace's chips have no forehead, and MTCNN looks for one: a chip's own top rows are drawn out upwards and
blurred, and the whole fades into a mid-tone ground, so that no hard edge is there to be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]

HALO = 0.34
"""How far the drawn-out surroundings reach, as a fraction of the chip's side."""


CELL = 1.5
"""Side of the square that a chip is given, as a multiple of its own."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """Where a chip was put: its middle and side in pixels of the photo, its tilt clockwise in degrees."""

    chip: int
    x: float
    y: float
    side_px: float
    tilt_deg: float

    def place(self, u: float, v: float) -> tuple[float, float]:
        """The photo's point of a point of the chip, given in fractions of its side."""
        angle = math.radians(self.tilt_deg)
        dx, dy = (u - 0.5) * self.side_px, (v - 0.5) * self.side_px
        return (
            self.x + dx * math.cos(angle) - dy * math.sin(angle),
            self.y + dx * math.sin(angle) + dy * math.cos(angle),
        )


def paste_in_rows(
    chips: Sequence[Pixels], sides_px: Sequence[float], tilts_deg: Sequence[float], width: int
) -> list[tuple[Pixels, list[Pasted]]]:
    """Lay chips out in rows `width` wide, each row a photo as high as its largest chip needs.

    Returns:
        Photos, uint8 [rows, width, 3], each with what lies in it.
    """
    rows: list[list[Pasted]] = []
    x, height = float(width), 0.0
    for index in sorted(range(len(chips)), key=lambda i: -sides_px[i]):
        cell = sides_px[index] * CELL
        if x + cell > width:
            rows.append([])
            x, height = 0.0, cell  # the row's first chip is its largest
        rows[-1].append(Pasted(index, x + cell / 2, height / 2, sides_px[index], tilts_deg[index]))
        x += cell
    photos = []
    for row in rows:
        photo = _ground(width, math.ceil(row[0].side_px * CELL))
        for where in row:
            paste(photo, chips[where.chip], where)
        photos.append((np.asarray(photo), row))
    return photos


def paste(photo: Image.Image, chip: Pixels, where: Pasted) -> None:
    """Put one chip into a photo, with its surroundings fading out."""
    drawn, mask = _with_halo(chip)
    angle = math.radians(where.tilt_deg)
    scale = len(chip) / where.side_px
    reach = math.ceil(where.side_px * (0.5 + HALO))
    left, top = math.floor(where.x) - reach, math.floor(where.y) - reach
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    middle = drawn.width / 2
    dx, dy = left - where.x, top - where.y
    to_chip = (cos, sin, middle + cos * dx + sin * dy, -sin, cos, middle - sin * dx + cos * dy)
    size = (2 * reach + 1, 2 * reach + 1)
    if scale >= 2:
        raise ValueError("a smaller paste would alias")
    turned = [
        part.transform(size, Image.Transform.AFFINE, to_chip, Image.Resampling.BILINEAR)
        for part in (drawn, mask)
    ]
    photo.paste(turned[0], (left, top), turned[1])


def _ground(width: int, height: int) -> Image.Image:
    across, down = np.meshgrid(np.linspace(0, 3, 40), np.linspace(0, 2, 20))
    grey = 112 + 14 * np.sin(across + down)
    small = np.rint(np.stack([grey + 4, grey, grey - 6], axis=2)).astype(np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)


def _with_halo(chip: Pixels) -> tuple[Image.Image, Image.Image]:
    side = len(chip)
    halo = round(side * HALO)
    drawn = Image.fromarray(np.pad(chip, ((halo, halo), (halo, halo), (0, 0)), mode="edge"))
    blurred = drawn.filter(ImageFilter.GaussianBlur(side * 0.05))
    axis = np.arange(side + 2 * halo) + 0.5 - halo
    outside = np.maximum(0, np.maximum(-axis, axis - side)) / side
    distance = np.hypot(outside[:, None], outside[None, :])
    inside = Image.fromarray(np.rint(np.clip(1 - distance / 0.03, 0, 1) * 255).astype(np.uint8))
    blurred.paste(drawn, mask=inside)
    mask = np.clip((0.30 - distance) / 0.18, 0, 1)
    return blurred, Image.fromarray(np.rint(mask * 255).astype(np.uint8))
