"""What Pillow leaves undone or mistakes in a TIFF."""

from __future__ import annotations

from typing import Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding.colour import GreyScale
from worker.pipeline.decoding.opened import upright

MAX_TILE_PIXELS = 4096 * 4096
"""Most pixels of a tile that is larger than its picture: libtiff unpacks tiles whole."""

_NATIVE = {"F;32BF": "F;32NF", "I;32BS": "I;32NS", "I;16BS": "I;16NS"}


def choose_libtiff() -> None:
    """Have libtiff read uncompressed files, too: Pillow's own reader mistakes 16 bits in separate planes."""
    TiffImagePlugin.READ_LIBTIFF = True


def prepare(image: Image.Image) -> GreyScale:
    """Check and correct a TIFF that is opened but not loaded.

    Raises:
        Unreadable: `too_many_pixels` for tiles that are far larger than the picture.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return GreyScale()
    tags: Any = image.tag_v2
    tile = (tags.get(Base.TileWidth, 0), tags.get(Base.TileLength, 0))
    if all(isinstance(side, int) for side in tile):
        pixels = tile[0] * tile[1]
        if pixels > max(MAX_TILE_PIXELS, tags[Base.ImageWidth] * tags[Base.ImageLength]):
            raise Unreadable(
                Code.TOO_MANY_PIXELS, f"its tiles are {tile[0]} x {tile[1]} pixels, larger than the image"
            )
    if image.use_load_libtiff:
        # libtiff gives the machine's byte order, which Pillow knows for 16 bits only.
        image.tile = [part._replace(args=_native(part.args)) for part in image.tile]
    bits = tags.get(Base.BitsPerSample, (1,))
    return GreyScale(
        white=4095 if bits == (12,) else 65535,
        # For 8 bits Pillow turns it round itself.
        inverted=tags.get(Base.PhotometricInterpretation) == 0 and max(bits) > 8,
        unsigned=tags.get(Base.SampleFormat, (1,)) == (1,),
    )


def upright_size(image: Image.Image, orientation: int) -> tuple[int, int]:
    """Width and height as its decoder will turn it; before that, Pillow does not think of XMP."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return upright((image.tag_v2[Base.ImageWidth], image.tag_v2[Base.ImageLength]), orientation)
    return image.size


def _native(args: Any) -> Any:
    if not isinstance(args, tuple):
        return args
    return (_NATIVE.get(args[0], args[0]), *args[1:])
