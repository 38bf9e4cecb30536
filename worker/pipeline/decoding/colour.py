"""Every mode that Pillow decodes to, as RGB that means the same colours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

WHITE = 255

STRIP_PIXELS = 4_000_000
"""Pixels of over 8 bits that are converted at once; 200 megapixels of floats would take gigabytes."""

INDISTINCT = 2
"""A profile that moves no colour by more levels than this is sRGB's own, whatever it calls itself."""


@dataclass(frozen=True, slots=True)
class GreyScale:
    """What the levels of a grey picture of over 8 bits mean.

    Attributes:
        white: the level of white of 16-bit pictures.
        inverted: whether zero is white.
        unsigned: whether 32-bit integers are.
    """

    white: int = 65535
    inverted: bool = False
    unsigned: bool = False


def to_eight_bits(image: Image.Image, scale: GreyScale | None = None) -> tuple[Image.Image, list[str]]:
    """The same picture in a mode that can be resized: L, LA, RGB, RGBA or CMYK, 8 bits a channel.

    16-bit grey is divided by 257, so that 65535 is white (Pillow's own conversion clips everything
    over 255). 32-bit integers and floats carry no agreed white: 0-1 (floats), 0-255 and 0-65535 are
    recognised by their values, anything else is stretched from its least to its greatest value.

    Args:
        image: loaded, of any mode.
        scale: of grey over 8 bits, where the file says more than its mode.

    Returns:
        The picture and warnings.
    """
    scale = scale or GreyScale()
    if image.mode.startswith("I;16"):
        return _from_16_bits(image, scale), []
    if image.mode in ("I", "F"):
        return _from_32_bits(image, scale)
    if image.mode in ("LA", "RGBA", "CMYK"):
        return image, []
    if image.mode == "La":  # premultiplied, which Pillow turns into nothing else than this
        return image.convert("LA"), []
    if image.mode == "PA" or image.has_transparency_data:
        return image.convert("RGBA"), []
    if image.mode == "1":
        return image.convert("L"), []
    if image.mode == "LAB":
        transform = ImageCms.buildTransform(
            ImageCms.createProfile("LAB"),
            ImageCms.createProfile("sRGB"),
            "LAB",
            "RGB",
            flags=ImageCms.Flags.HIGHRESPRECALC,  # the usual table is nine levels off in dark blues
        )
        return ImageCms.applyTransform(image, transform) or image, []
    # Pillow's conversion of what is RGB already would copy it.
    return image if image.mode in ("L", "RGB") else image.convert("RGB"), []


def to_rgb(image: Image.Image, icc_profile: bytes | None) -> tuple[Image.Image, list[str]]:
    """An 8-bit picture on white, in sRGB.

    Args:
        image: mode L, LA, RGB, RGBA or CMYK.
        icc_profile: the file's colour profile; one that does not fit the picture is ignored with a warning.

    Returns:
        The picture in mode RGB and warnings.
    """
    image = _on_white(image)
    warnings: list[str] = []
    if icc_profile:
        converted = None
        try:
            converted = _through_profile(image, icc_profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            warnings.append(f"the colour profile was ignored: {error}")
        else:
            if converted is None:
                warnings.append("the colour profile was ignored: it is not one for this kind of image")
        image = converted or image
    return image if image.mode == "RGB" else image.convert("RGB"), warnings


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.mode[:-1]
    ground = Image.new(opaque, image.size, (WHITE,) * len(opaque) if len(opaque) > 1 else WHITE)
    ground.paste(image.convert(opaque), mask=image.getchannel("A"))
    return ground


def _through_profile(image: Image.Image, icc_profile: bytes) -> Image.Image | None:
    mode, transform = _transform(icc_profile)
    if mode == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if mode != image.mode:
        return None
    return image if transform is None else ImageCms.applyTransform(image, transform)


@lru_cache(maxsize=8)
def _transform(icc_profile: bytes) -> tuple[str | None, ImageCms.ImageCmsTransform | None]:
    """The mode a profile is for, and the way to sRGB unless it is sRGB; a night's cameras are few."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(profile.profile.xcolor_space.strip())
    if mode is None:
        return None, None
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode != "CMYK":
        # By its colours, not by its name: "sRGB" is in the name of linear profiles, too.
        levels = np.arange(0, 256, 15, dtype=np.uint8)
        probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
        given = Image.fromarray(probe if mode == "RGB" else probe[..., 0].copy())
        moved = np.asarray(ImageCms.applyTransform(given, transform)).astype(int)
        if np.abs(moved - np.asarray(given.convert("RGB"))).max() <= INDISTINCT:
            return mode, None
    return mode, transform


def _from_16_bits(image: Image.Image, scale: GreyScale) -> Image.Image:
    table = np.rint(np.minimum(np.arange(65536) / scale.white, 1) * WHITE).astype(np.uint8)
    if scale.inverted:
        table = WHITE - table
    key = image.info.get("transparency")
    grey = np.empty((image.height, image.width), np.uint8)
    alpha = np.empty_like(grey) if isinstance(key, int) else None
    for rows, levels in _strips(image):
        grey[rows] = table[levels]
        if alpha is not None:
            alpha[rows] = np.where(levels == key, 0, WHITE)
    picture = Image.fromarray(grey)
    return picture if alpha is None else Image.merge("LA", (picture, Image.fromarray(alpha)))


def _from_32_bits(image: Image.Image, scale: GreyScale) -> tuple[Image.Image, list[str]]:
    integers = image.mode == "I"
    low, high = np.inf, -np.inf
    for _, levels in _strips(image):
        values = _finite(levels, scale)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    warnings: list[str] = []
    black, white = 0.0, 255.0
    if low >= 0 and high <= 1 and not integers:
        white = 1.0
    elif low >= 0 and high <= 255:
        pass
    elif low >= 0 and high <= 65535:
        white = 65535.0
    else:
        black, white = low, max(high, low + 1e-12)
        warnings.append("brightness was stretched: the file does not say what white is")
    grey = np.empty((image.height, image.width), np.uint8)
    for rows, levels in _strips(image):
        grey[rows] = np.rint((_finite(levels, scale) - black) * (WHITE / (white - black)))
    return Image.fromarray(WHITE - grey if scale.inverted else grey), warnings


def _finite(levels: NDArray[np.generic], scale: GreyScale) -> NDArray[np.float64]:
    if levels.dtype == np.int32 and scale.unsigned:
        levels = levels.view(np.uint32)
    return np.nan_to_num(levels.astype(np.float64), copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _strips(image: Image.Image) -> Iterator[tuple[slice, NDArray[np.generic]]]:
    """Rows of the picture, some at a time, and their levels [rows, W]."""
    step = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, step):
        bottom = min(top + step, image.height)
        yield slice(top, bottom), np.asarray(image.crop((0, top, image.width, bottom)))
