"""Every mode that Pillow decodes to, as RGB that means the same colours."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

WHITE = 255


def to_eight_bits(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """The same picture in a mode that can be resized: L, LA, RGB, RGBA or CMYK, 8 bits a channel.

    16-bit grey is divided by 257, so that 65535 is white (Pillow's own conversion clips everything
    over 255). 32-bit integers and floats carry no agreed white: 0-1 (floats), 0-255 and 0-65535 are
    recognised by their values, anything else is stretched from its least to its greatest value.

    Returns:
        The picture and warnings.
    """
    if image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((levels + 128) // 257).astype(np.uint8)), []
    if image.mode in ("I", "F"):
        return _from_wide(np.asarray(image))
    if image.mode in ("LA", "RGBA", "CMYK"):
        return image, []
    if image.mode == "PA" or image.has_transparency_data:
        return image.convert("RGBA"), []
    if image.mode == "1":
        return image.convert("L"), []
    if image.mode == "LAB":
        transform = ImageCms.buildTransform(
            ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
        )
        return ImageCms.applyTransform(image, transform) or image, []
    if image.mode != "L":
        return image.convert("RGB"), []
    return image, []


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
    return image.convert("RGB"), warnings


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.mode[:-1]
    ground = Image.new(opaque, image.size, (WHITE,) * len(opaque) if len(opaque) > 1 else WHITE)
    ground.paste(image.convert(opaque), mask=image.getchannel("A"))
    return ground


def _through_profile(image: Image.Image, icc_profile: bytes) -> Image.Image | None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
    space = profile.profile.xcolor_space.strip()
    if space == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space) != image.mode:
        return None
    if ImageCms.getProfileDescription(profile).startswith("sRGB"):
        return image  # what most cameras embed; converting would only cost time
    return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")


def _from_wide(levels: NDArray[np.int32] | NDArray[np.float32]) -> tuple[Image.Image, list[str]]:
    values = np.nan_to_num(levels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    warnings: list[str] = []
    if low >= 0 and high <= 1 and levels.dtype.kind == "f":
        values = values * 255
    elif low >= 0 and high <= 255:
        pass
    elif low >= 0 and high <= 65535:
        values = values / 257
    else:
        values = (values - low) * (255 / max(high - low, 1e-12))
        warnings.append("brightness was stretched: the file does not say what white is")
    return Image.fromarray(np.rint(values).astype(np.uint8)), warnings
