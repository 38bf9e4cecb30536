"""Small whole files in every format, with all that usually lies around the pixels."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import ExifTags, Image

from bench import samples
from tests.support.pictures.containers import bmp, bmp_rows, png_of, run_lengths
from tests.support.pictures.drawn import encoded
from tests.support.pictures.profiles import DISPLAY_P3, cmyk_icc

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF")


def picture(side_px: int = 40) -> Image.Image:
    """A part of a real photo: the face, `side_px` wide and three quarters of it high."""
    return samples.astronaut().crop((170, 60, 290, 150)).resize((side_px, side_px * 3 // 4))


def exif(orientation: int = 6) -> bytes:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    tags[ExifTags.Base.Make] = "Night"
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:01 00:00:00"
    return tags.tobytes()


@cache
def seeds(image_format: str) -> tuple[bytes, ...]:
    """Files of one format, a few kilobytes each at most."""
    image = picture()
    icc = DISPLAY_P3.icc()
    around: dict[str, Any] = {"exif": exif(), "icc_profile": icc}
    other = Image.new("RGB", image.size, "white")
    few = image.quantize(16)
    match image_format:
        case "JPEG":
            cmyk = encoded(image.convert("CMYK"), "JPEG", icc_profile=cmyk_icc()[:900])
            return (
                encoded(image, "JPEG", **around),
                encoded(image, "JPEG", progressive=True),
                encoded(image, "JPEG", restart_marker_rows=1, subsampling=0),
                cmyk,
                encoded(image, "MPO", save_all=True, append_images=[other], exif=exif()),
            )
        case "PNG":
            rows = np.insert(np.asarray(image).reshape(30, -1), 0, 1, axis=1).astype(np.uint8).tobytes()
            more = [(b"gAMA", struct.pack(">I", 60_000)), (b"zTXt", b"Comment\0\0x\x9c\x03\0\0\0\0\x01")]
            return (
                encoded(image, "PNG", **around),
                encoded(few, "PNG", transparency=b"\0\x40\x80\xff"),
                encoded(image.convert("LA"), "PNG"),
                png_of(40, 30, 8, 2, rows, more, [(b"tEXt", b"Title\0x")]),
                encoded(image, "PNG", save_all=True, append_images=[other], default_image=True),
                encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG"),
            )
        case "WEBP":
            return (
                encoded(image, "WEBP", quality=50, **around),
                encoded(image.convert("RGBA"), "WEBP", lossless=True),
                encoded(image, "WEBP", save_all=True, append_images=[other], quality=40),
            )
        case "TIFF":
            kinds = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
            return (
                *(encoded(image, "TIFF", compression=kind) for kind in kinds),
                encoded(image, "TIFF", compression="tiff_lzw", icc_profile=icc, tiffinfo={274: 6}),
                encoded(image.convert("1"), "TIFF", compression="group4"),
                encoded(few, "TIFF", compression="tiff_lzw"),
                encoded(image.convert("YCbCr"), "TIFF", compression="tiff_lzw"),
                encoded(Image.frombytes("LAB", image.size, image.tobytes()), "TIFF"),
                encoded(Image.fromarray(np.asarray(image.convert("L"), np.float32)), "TIFF"),
                encoded(image, "TIFF", save_all=True, append_images=[other]),
            )
        case "BMP":
            indices = np.asarray(few)
            palette = few.getpalette()
            assert palette is not None
            colours = np.asarray(palette[:48], np.uint8).reshape(16, 3)
            return (
                encoded(image, "BMP"),
                bmp(40, 30, 4, bmp_rows(indices, 4), palette=colours),
                bmp(40, 30, 8, run_lengths(indices), palette=colours, compression=1),
                bmp(40, 30, 4, run_lengths(indices, nibbles=True), palette=colours, compression=2),
            )
        case "GIF":
            return (
                encoded(few, "GIF", interlace=1, transparency=2),
                encoded(few, "GIF", save_all=True, append_images=[other, image], loop=0, comment=b"x"),
            )
        case "HEIF":
            wide = pillow_heif.from_bytes(
                "RGB;16", image.size, (np.asarray(image).astype(np.uint16) * 257).tobytes()
            )
            ten_bits = io.BytesIO()
            wide.save(ten_bits, quality=30)
            return (
                encoded(image, "HEIF", quality=40, **around),
                encoded(image.convert("RGBA"), "HEIF", quality=40),
                encoded(picture(128), "HEIF", quality=10, tile_size=64),
                ten_bits.getvalue(),
            )
        case _:
            return (
                encoded(image, "AVIF", quality=40, **around),
                encoded(image.convert("RGBA"), "AVIF", quality=40),
                encoded(image, "AVIF", save_all=True, append_images=[other], quality=30),
            )
