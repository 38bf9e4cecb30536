"""What a photo of any format opens into."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image

from worker.pipeline.decoding.capture import UNKNOWN, Capture
from worker.pipeline.decoding.colour import GreyScale


def fit_size(width: int, height: int, max_height: int, max_pixels: int) -> tuple[int, int]:
    """Width and height after scaling down to `max_height` rows, then to `max_pixels` pixels."""
    factor = min(1.0, max_height / height)
    fitted = (max(1, round(width * factor)), max(1, round(height * factor)))
    if fitted[0] * fitted[1] <= max_pixels:
        return fitted
    factor = math.sqrt(max_pixels / (width * height))
    return max(1, int(width * factor)), max(1, int(height * factor))


@dataclass(frozen=True, slots=True)
class Limits:
    """See `worker.pipeline.decoding.decode.decode`."""

    height: int
    max_photo_pixels: int
    max_working_pixels: int
    max_memory: int
    max_apart_s: float

    @property
    def large(self) -> int:
        """Bytes over which a photo is decoded alone, and in parts where that is possible."""
        return self.max_memory // 4

    def target(self, size: tuple[int, int], turn: int = 1) -> tuple[int, int]:
        """What a picture that is to be turned so is scaled down to before that."""
        width, height = upright(fit_size(*upright(size, turn), self.height, self.max_working_pixels), turn)
        return width, height


def upright(size: tuple[int, int], turn: int) -> tuple[int, int]:
    """Width and height after an EXIF orientation was followed, or before."""
    return size[::-1] if turn >= 5 else size


class Loaded(NamedTuple):
    """A picture as its decoder gives it.

    Attributes:
        image: of any mode, maybe smaller than it is in the file.
        size: its own, pixels, as it lies.
        box: the part of `image` that it fills, x1 y1 x2 y2.
    """

    image: Image.Image
    size: tuple[int, int]
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Opened:
    """A photo of any format, before there are any pixels.

    Attributes:
        pixels: how many will lie in memory at once.
        bytes_: what decoding takes of it, at the peak.
        load: decodes.
        orientation: 1-8, as the file says.
        turn: 1-8, what is left of it to be followed: some decoders do that themselves.
        profile: of its colours, where it has one.
        greys: what its levels mean, where the file says more than its mode.
        gamma: 256 levels to be looked up, or None.
        capture: when it was taken, and with what.
    """

    pixels: int
    bytes_: int
    load: Callable[[], Loaded]
    orientation: int
    turn: int
    profile: bytes | None
    greys: GreyScale | None = None
    gamma: list[int] | None = None
    capture: Capture = UNKNOWN
