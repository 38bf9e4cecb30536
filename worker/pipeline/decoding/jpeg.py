"""JPEG's own: the first picture of a file, its pixels fast, and files that would decode for hours."""

from __future__ import annotations

import io
import re
from functools import partial
from itertools import islice

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding import cost, jpeg_lies, jpeg_segments
from worker.pipeline.decoding.capture import read_capture
from worker.pipeline.decoding.opened import Limits, Loaded, Opened
from worker.pipeline.decoding.orientation import read_orientation
from worker.pipeline.decoding.refusal import check_pixels, damaged
from worker.pipeline.decoding.shrink import shrink_pixels

SIGNATURE = b"\xff\xd8\xff"

MAX_SCANS = 100
"""Most scans of one picture. Encoders write 1 to about 20; each costs the decoder a pass over all pixels, so
that a megabyte of empty ones would take hours."""

MAX_SCANNED_PIXELS = 2_500_000_000
"""Most pixels of all scans together: of 200 megapixels, 12; it is a quarter of a minute's work."""

DAMAGED = "damaged_pixels: a part of the image is lost; faces may be missing or in the wrong place"
NO_END = "the file's end is missing; all of its pixels are there"
REPLACED_END = "the file's end is missing; what stands in its place was ignored"
MIXED_END = "damaged_pixels: the file's end is missing; what stands in its place may have been read as pixels"
NO_PROFILE = "the colour profile was ignored: parts of it are missing"

_END = b"\xff\xd9"
_BEHIND = re.compile(r"(\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
_MOST_CUTS = 3
"""How often what lies behind the pixels is cut off; each costs a part of the time that decoding takes."""

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
"""simplejpeg's names of Pillow's modes."""


def open_jpeg(data: bytes) -> JpegImagePlugin.JpegImageFile:
    """Open a file that begins with `SIGNATURE`.

    Pillow's own way reads the index of further pictures (MPO) as well, which is not wanted here and
    refuses the file where that index is damaged.

    Raises:
        SyntaxError: the header cannot be read.
        Unreadable: `corrupt_image` for over `MAX_SCANS` scans, and as `jpeg_segments.check_header`.
    """
    jpeg_segments.check_header(data)
    if _scans(data, MAX_SCANS) > MAX_SCANS:
        raise damaged(f"it has over {MAX_SCANS} scans")
    return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


def opened(data: bytes, warnings: list[str], limits: Limits) -> Opened:
    """Open a file that begins with `SIGNATURE`, to be decoded at a fraction of its size if that is enough.

    Raises:
        SyntaxError: the header cannot be read.
        Unreadable: `corrupt_image` or `too_many_pixels`.
    """
    image = open_jpeg(data)
    profile = image.info.get("icc_profile", b"")
    if profile is None:
        warnings.append(NO_PROFILE)
    size = image.size
    check_pixels(size, limits.max_photo_pixels)
    turn = read_orientation(image, warnings)
    target = limits.target(size, turn)
    samples = kept_samples(data, image)
    # libjpeg decodes at 1/2, 1/4 or 1/8 for a part of the work; never under the target.
    drafted = image.draft(image.mode, target)
    return Opened(
        pixels=image.width * image.height,
        bytes_=cost.of_jpeg(size, image.size, samples, len(data)),
        load=partial(_load, data, image, size, drafted[1] if drafted else (0, 0, *size), target, warnings),
        orientation=turn,
        turn=turn,
        profile=profile,
        capture=read_capture(image.info.get("exif") or b""),
    )


def _load(
    data: bytes,
    image: Image.Image,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    target: tuple[int, int],
    warnings: list[str],
) -> Loaded:
    """Load, and scale at once where that needs no part of the picture and saves a copy of the large one."""
    pixels = decode_fast(data, image)
    if pixels is not None:
        scaled = pixels.ndim == 3 and box == (0, 0, *image.size)
        return Loaded(Image.fromarray(shrink_pixels(pixels, target) if scaled else pixels), size, box)
    image.load()
    if said := complaint(data, image.mode):
        warnings.append(said)
    return Loaded(image, size, box)


def decode_fast(data: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """The pixels that Pillow would give, in two thirds of its time, or None where only Pillow can tell.

    Args:
        data: the whole file.
        image: opened from it, and drafted to the size wanted.

    Returns:
        uint8 [H, W, 3], RGB, or [H, W] of a grey picture. None for other modes, and where libjpeg complains
        of what may do harm: what can be saved of a damaged file is Pillow's to decide.
    """
    if image.mode not in ("L", "RGB"):
        return None
    pixels = _decode(data, image)
    if pixels is None:
        pixels = _decode(jpeg_segments.bare(data), image)
    return pixels[..., 0] if pixels is not None and image.mode == "L" else pixels


def is_damaged(data: bytes, mode: str) -> bool:
    """Whether libjpeg has to guess a part of the pixels.

    Pillow lets nobody hear of it. libjpeg says no more than the first of its complaints, so that those
    that do no harm are seen to first.

    Args:
        data: the whole file, which libjpeg can decode.
        mode: of the picture as Pillow opens it.
    """
    return _said(data, mode) is not None and _said(jpeg_segments.bare(data), mode) is not None


def kept_samples(data: bytes, image: JpegImagePlugin.JpegImageFile) -> float:
    """How many values a pixel the decoder keeps of a whole picture: none of one scan, all of several.

    Args:
        data: the whole file.
        image: opened from it, and not drafted.

    Raises:
        Unreadable: `too_many_pixels` where its scans would take minutes.
    """
    pixels = image.width * image.height
    if (scans := _scans(data, MAX_SCANNED_PIXELS // pixels)) * pixels > MAX_SCANNED_PIXELS:
        raise Unreadable(Code.TOO_MANY_PIXELS, f"{scans} scans of {pixels / 1e6:.0f} megapixels")
    areas = [across * down for _, across, down, _ in image.layer]
    several = image.info.get("progressive") or jpeg_segments.first_scan_channels(data) < len(areas)
    return sum(areas) / max(1, *areas) if several else 0.0


def complaint(data: bytes, mode: str) -> str | None:
    """What is to be said of a file that Pillow decoded without a word; takes a part of the time again."""
    if (ended := with_end(data, mode)) is not None:
        return ended[1]
    return DAMAGED if is_damaged(data, mode) else None


def mended(data: bytes) -> tuple[bytes, list[str]] | None:
    """A file that can be decoded in place of one that could not, and sentences on what it does without."""
    notes: list[str] = []
    whole, mode = data, _mode(data)
    for readable, names in jpeg_lies.without_damaged(data):
        known = _mode(readable)
        if known is None or (notes and is_damaged(readable, known)):
            continue
        whole, mode = readable, known
        notes = [f"the segment {name} is damaged and was ignored" for name in names]
        if not is_damaged(whole, mode):
            break
    if mode is not None and (ended := with_end(whole, mode)) is not None:
        whole = ended[0]
        notes.append(ended[1])
    return (whole, notes) if notes else None


def _mode(data: bytes) -> str | None:
    try:
        return open_jpeg(data).mode
    except MemoryError:
        raise
    except Exception:  # whatever its parser met
        return None


def with_end(data: bytes, mode: str) -> tuple[bytes, str] | None:
    """The file with its end marker behind its pixels, if that is all it lacks, and a sentence; else None."""
    end = jpeg_segments.end_of_last_scan(data)
    if end is None or jpeg_segments.is_end(data, end):
        return None
    body = data[:end].rstrip(b"\xff")
    for cut in range(1 + _MOST_CUTS):
        body = jpeg_segments.without_zeros(body)
        whole = body + _END
        if not is_damaged(whole, mode):
            # A marker ends the pixels for certain; other bytes might stand in the place of some of them.
            replaced = REPLACED_END if data[end:] else NO_END
            return whole, MIXED_END if cut else replaced
        found = _BEHIND.search(_said(jpeg_segments.bare(whole), mode) or "")
        if found is None:
            return None
        # They begin that far before the marker, or later: those of 0xff are counted once.
        marker = whole.rfind(bytes((0xFF, int(found[2], 16))))
        body = body[: marker - int(found[1])]
    return None


def kind_not_read(data: bytes) -> str | None:
    """What kind of JPEG it is, where no decoder at hand reads that kind."""
    frame = jpeg_segments.frame(data)
    if frame is None:
        return None
    kind, bits, _, _ = frame
    if kind in (0xC3, 0xC7, 0xCB, 0xCF):
        return "a lossless JPEG"
    if kind in (0xC5, 0xC6, 0xCD, 0xCE):
        return "a hierarchical JPEG"
    if bits not in (0, 8):
        return f"a JPEG of {bits} bits a channel"
    return "a JPEG in arithmetic coding" if kind in (0xC9, 0xCA) else None


def _decode(data: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    width, height = image.size
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, _SPACES[image.mode], min_height=height, min_width=width
        )
    except Exception:
        return None
    return pixels if pixels.shape[:2] == (height, width) else None


def _said(data: bytes, mode: str) -> str | None:
    """What libjpeg complains of first."""
    try:
        # At an eighth of its size: the complaints come from unpacking, which is the same at any.
        simplejpeg.decode_jpeg(data, _SPACES.get(mode, "RGB"), min_height=1, min_width=1)
    except ValueError as error:
        return str(error)
    return None


def _scans(data: bytes, few: int) -> int:
    """How many there are, up to one over `MAX_SCANS`; something up to `few` where there are no more."""
    # Nearly every file has few of these two bytes; this takes a sixth of the time of `bytes.count`.
    pair = np.uint16(jpeg_segments.SOS << 8 | 0xFF)
    words = (np.frombuffer(data, "<u2", (len(data) - start) // 2, start) for start in (0, 1))
    pairs = sum(int(np.count_nonzero(found == pair)) for found in words)
    return pairs if pairs <= few else sum(1 for _ in islice(jpeg_segments.scans(data), MAX_SCANS + 1))
