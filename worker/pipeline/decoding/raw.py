"""Cameras' raw files: the JPEG that the camera put into them, or a development of half the size."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding import cost, jpeg, jpeg_segments, tiff_pages
from worker.pipeline.decoding.apart import APART, Refused
from worker.pipeline.decoding.capture import Capture, read_capture
from worker.pipeline.decoding.opened import Limits, Loaded, Opened, upright
from worker.pipeline.decoding.refusal import check_pixels, damaged
from worker.pipeline.decoding.shrink import shrink_pixels

PACKAGE = "rawpy>=0.28"

_STACKED = b"FOVb"
"""Sigma's sensors have three values a pixel."""
SIGNATURES = (
    *(b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR"),
    *(_STACKED, b"\0MRM", b"II\x1a\0\0\0HEAPCCDR"),
)
_WITHIN_TIFF = (b"CR\x02", b"IIII", b"MMMM")
"""What stands behind a TIFF's header in those of Canon and Phase One."""

_CAPTURE_BOXES = (b"CMT1", b"CMT2")
"""Of CR3: each holds a TIFF, of the camera and of the moment."""
_BOXES_WITHIN = 65_536
"""Bytes, from a CR3's beginning, that they lie in; and the most of one."""
_EXIF = b"Exif\0\0"

DEVELOPED = "the JPEG in the raw file is damaged; the sensor's values were developed"

_NEARLY_ALL = 0.9
"""Of a picture's rows: cameras leave some at the edges out of their JPEG."""

_UNKNOWN = frozenset(
    {"LibRawFileUnsupportedError", "LibRawNotImplementedError", "LibRawRequestForNonexistentImageError"}
)


def is_raw(data: bytes) -> bool:
    """Whether it is a camera's raw file, by its bytes."""
    if data.startswith(SIGNATURES) or (data[4:8] == b"ftyp" and data[8:12] == b"crx "):
        return True
    if data[8:12].startswith(_WITHIN_TIFF) and data.startswith(tiff_pages.SIGNATURES):
        return True
    tiff = tiff_pages.read_header(data)
    return tiff is not None and tiff_pages.is_of_a_sensor(tiff)


@dataclass(frozen=True, slots=True)
class RawFile:
    """What a raw file says of itself.

    Attributes:
        data: the whole file.
        size: of the picture as it lies on the sensor, pixels.
        sensor_pixels: values of the sensor, with those at its edges.
        orientation: 1-8, as EXIF counts.
        mosaic: whether each value is of one colour.
        preview: the largest JPEG in it, which says which way up it is; None where there is none of use.
        capture: when it was taken, and with what, by the file itself or by the JPEG in it.
    """

    data: bytes
    size: tuple[int, int]
    sensor_pixels: int
    orientation: int
    mosaic: bool
    preview: bytes | None
    capture: Capture


def read_raw(data: bytes, limits: Limits) -> RawFile:
    """Read a raw file's header, and the JPEG in it if that is high enough.

    Raises:
        Unreadable: `unsupported_format`, `corrupt_image` or as `Apart.ask`.
    """
    try:
        known, bodies = APART.ask(
            "raw_preview", data, package=PACKAGE, memory=limits.max_memory, seconds=limits.max_apart_s
        )
    except Refused as error:
        raise _refusal(error) from error
    size = known["width"], known["height"]
    about = known["sensor_pixels"], known["orientation"], _has_mosaic(data)
    file = RawFile(data, size, *about, None, capture_of(data, *bodies))
    return replace(file, preview=_of_use(bodies[0], file, limits.height)) if bodies else file


def capture_of(data: bytes, preview: bytes = b"") -> Capture:
    """What the file says of the moment: as the TIFF that most are, in boxes, or only in the JPEG in it."""
    capture = read_capture(data)
    if data[4:8] == b"ftyp":
        for kind in _CAPTURE_BOXES:
            start = data.find(kind, 0, _BOXES_WITHIN) + len(kind)
            capture = capture.or_by(read_capture(data[start : start + _BOXES_WITHIN]))
    if preview.startswith(jpeg.SIGNATURE):
        for part in jpeg_segments.segments(preview):
            if part.kind == jpeg_segments.APP1:
                body = preview[part.start : part.end]
                capture = capture.or_by(read_capture(body[body.find(_EXIF) :]))
    return capture


def _has_mosaic(data: bytes) -> bool:
    """Whether four values become one pixel of half the size; LibRaw tells only what it has unpacked."""
    tiff = tiff_pages.read_header(data)
    return not data.startswith(_STACKED) and (tiff is None or not tiff_pages.is_linear(tiff))


def _of_use(preview: bytes, file: RawFile, height: int) -> bytes | None:
    """The JPEG, turned as the sensor was; None where a development has more of the rows that are wanted."""
    frame = jpeg_segments.frame(preview) if preview.startswith(jpeg.SIGNATURE) else None
    if frame is None:
        return None
    size = frame[2:]
    turn = _left_to_turn(size, file)
    if upright(size, turn)[1] < min(height, upright(file.size, file.orientation)[1] * _NEARLY_ALL):
        return None
    return jpeg_segments.turned(preview, turn)


def _left_to_turn(size: tuple[int, int], file: RawFile) -> int:
    """The orientation of the JPEG: the file's own, but for a JPEG whose shape shows that it was turned."""
    lies = file.size[0] > file.size[1]
    turned = file.orientation >= 5 and size[0] != size[1] and (size[0] > size[1]) != lies
    return 1 if turned else file.orientation


def opened(file: RawFile, limits: Limits) -> Opened:
    """A raw file whose sensor's values are to be developed, at half the size if that is enough.

    Raises:
        Unreadable: `too_many_pixels`, or `corrupt_image` without any.
    """
    check_pixels(file.size, limits.max_photo_pixels)
    if file.sensor_pixels > 2 * limits.max_photo_pixels:
        raise Unreadable(Code.TOO_MANY_PIXELS, f"its sensor has {file.sensor_pixels / 1e6:.0f} megapixels")
    rows = upright(file.size, file.orientation)[1]
    half = file.mosaic and rows // 2 >= limits.height
    return Opened(
        pixels=math.prod(file.size) // (4 if half else 1),
        bytes_=cost.of_raw(file.sensor_pixels, len(file.data), mosaic=file.mosaic, half=half),
        load=partial(_load, file, half, limits),
        orientation=file.orientation,
        turn=file.orientation,
        profile=None,
        capture=file.capture,
    )


def _load(file: RawFile, half: bool, limits: Limits) -> Loaded:
    try:
        known, bodies = APART.ask(
            "raw_developed",
            file.data,
            package=PACKAGE,
            memory=limits.max_memory,
            seconds=limits.max_apart_s,
            half=half,
        )
    except Refused as error:
        raise _refusal(error) from error
    height, width, channels = known["height"], known["width"], known["channels"]
    pixels = np.frombuffer(bodies[0], np.uint8).reshape(height, width, channels)
    if channels == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    target = limits.target(file.size, file.orientation)
    if target[0] <= width and target[1] <= height:
        pixels = shrink_pixels(np.ascontiguousarray(pixels), target)
    return Loaded(Image.fromarray(pixels), file.size, (0, 0, width, height))


def _refusal(error: Refused) -> Unreadable:
    if error.kind in _UNKNOWN:
        return Unreadable(
            Code.UNSUPPORTED_FORMAT,
            "a camera's raw file of a kind, or of a camera, that LibRaw does not know",
        )
    return damaged(f"LibRaw cannot read it ({error.kind.removeprefix('LibRaw').removesuffix('Error')})")
