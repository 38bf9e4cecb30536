"""What Pillow leaves undone or mistakes in a PNG."""

from __future__ import annotations

from PIL import Image

DISPLAY_GAMMA = 2.2
GAMMA_THRESHOLD = 0.05
"""As in libpng: a gAMA nearer to 1 / 2.2 than this changes nothing that could be seen."""

_TEXT_TO_KEEP = ("XML:com.adobe.xmp", "Raw profile type exif")
"""Texts from which Pillow reads the orientation."""

_RAISED = {"L;2": 85, "L;4": 17}
"""Factor that Pillow applies to the pixels of 2-bit and 4-bit grey, and forgets for their colour key."""


def drop_texts(image: Image.Image) -> None:
    """Take text chunks out of `image.info`, where they lie among the decoder's own entries.

    A text that is called `transparency`, `interlace` or `icc_profile` would be taken for the real thing.
    To be called before loading and after it: texts may follow the pixels.
    """
    for key in [key for key, value in image.info.items() if isinstance(value, str)]:
        if key not in _TEXT_TO_KEEP:
            del image.info[key]
    tile = getattr(image, "tile", None)
    if tile and isinstance(tile[0].extents, str):  # a text called `bbox`
        image.tile = [tile[0]._replace(extents=(0, 0, *image.size))]  # type: ignore[attr-defined]


def correct_colour_key(image: Image.Image) -> None:
    """Bring the transparent colour to the depth of the loaded pixels; to be called before loading."""
    key = image.info.get("transparency")
    raw_mode = _raw_mode(image)
    if raw_mode in _RAISED and isinstance(key, int):
        image.info["transparency"] = key * _RAISED[raw_mode]
    elif raw_mode == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(level >> 8 for level in key)


def gamma_table(image: Image.Image) -> list[int] | None:
    """256 levels for the levels 0-255 as the gAMA chunk asks for, or None when they stay as they are.

    As browsers do it: a colour profile or an sRGB chunk goes before gAMA.
    """
    gamma = image.info.get("gamma")
    if not isinstance(gamma, float) or gamma <= 0 or "icc_profile" in image.info or "srgb" in image.info:
        return None
    exponent = 1 / (gamma * DISPLAY_GAMMA)
    if abs(exponent - 1) < GAMMA_THRESHOLD:
        return None
    return [round(255 * (level / 255) ** exponent) for level in range(256)]


def _raw_mode(image: Image.Image) -> str:
    tile = getattr(image, "tile", None)
    args = tile[0][3] if tile else ""
    return args if isinstance(args, str) else ""
