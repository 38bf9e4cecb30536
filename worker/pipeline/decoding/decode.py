"""Photo bytes to an upright RGB array no larger than the detector needs."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from nightshift.words.options import PREVIEW_PX
from worker.pipeline.decoding import cost, jpeg, jxl, others, raw, tiff, tiff_pages
from worker.pipeline.decoding.alone import Alone
from worker.pipeline.decoding.capture import UNKNOWN, Capture
from worker.pipeline.decoding.colour import to_eight_bits, to_rgb
from worker.pipeline.decoding.kinds import kind_not_read, raise_unidentified
from worker.pipeline.decoding.mend import is_out_of_order, mended
from worker.pipeline.decoding.opened import Limits, Opened, upright
from worker.pipeline.decoding.orientation import UPRIGHT
from worker.pipeline.decoding.refusal import not_read, raise_damaged
from worker.pipeline.decoding.shrink import shrink, shrink_pixels

MAX_MEMORY = 1_000_000_000
"""Bytes; two workers, each with its networks, fit into 4 GB with it."""

MAX_APART_S = 30.0
"""Seconds of a processor; half of the time after which a worker without progress is ended, by default."""

NO_LOCK = Alone(None)


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A photo as the detector sees it.

    Attributes:
        pixels: uint8 [H, W, 3], RGB, C-contiguous, upright, scaled down where it had to be.
        width: of the upright photo at full size, pixels.
        height: likewise.
        exif_orientation: 1-8 as the file said, 1 when it said nothing readable.
        scale: rows of `pixels` over `height`, 0-1.
        warnings: short sentences for the photo's row.
        capture: when it was taken, and with what.
        decode_ms: time that decoding took, milliseconds.
        id: by which progress is told, where it is.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    exif_orientation: int
    scale: float
    warnings: tuple[str, ...] = field(default=())
    capture: Capture = UNKNOWN
    decode_ms: float = 0.0
    id: str = ""


def decode(
    data: bytes,
    *,
    height: int,
    max_photo_pixels: int,
    max_working_pixels: int,
    max_memory: int = MAX_MEMORY,
    max_apart_s: float = MAX_APART_S,
    admit: Callable[[int], None] = lambda _: None,
    alone: Alone = NO_LOCK,
) -> DecodedPhoto:
    """Decode one photo, upright, scaled down to `height` rows and `max_working_pixels` pixels, never up.

    Animations give their first frame. Transparent pixels lie on white.

    Args:
        data: the whole file.
        height: most rows of the result, pixels.
        max_photo_pixels: most pixels of the file, by its header.
        max_working_pixels: most pixels of the result.
        max_memory: most bytes that decoding may take, by an estimate. A photo over a quarter of it is decoded
            in parts where its format allows it.
        max_apart_s: most seconds of a processor that a decoder in a process of its own may take.
        admit: called with how many pixels are about to be decoded, before there are any; it may wait. Called
            with 0 while `alone` is waited for.
        alone: held while a photo is decoded that takes over a quarter of `max_memory`.

    Raises:
        Unreadable: `unsupported_format`, `corrupt_image`, `too_many_pixels`, `too_much_memory`, `timeout` or
            `decoder_not_installed`.
        MemoryError: as Pillow raised it; the same photo may pass another time.
    """
    started = time.perf_counter()
    waited_s = 0.0
    most = 0
    held = False

    _prepare_pillow()
    limits = Limits(height, max_photo_pixels, max_working_pixels, max_memory, max_apart_s)
    with _pillow_limit(max_photo_pixels), ExitStack() as stack:

        def begin(pixels: int, bytes_: int) -> None:
            nonlocal waited_s, most, held
            asked = time.perf_counter()
            if bytes_ > limits.large and not held:
                stack.enter_context(alone.held(lambda: admit(0)))
                held = True
            if pixels > most:  # else it is tried again, mended
                admit(pixels)
                most = pixels
            waited_s += time.perf_counter() - asked

        photo = _decode_as_it_can_be(data, limits, begin)
    elapsed_ms = (time.perf_counter() - started - waited_s) * 1000
    return replace(photo, decode_ms=elapsed_ms)


def thumbnail(photo: DecodedPhoto, side_px: int = PREVIEW_PX) -> bytes:
    """A small WebP of the photo, upright, its longer side at most `side_px`, never enlarged."""
    height, width = photo.pixels.shape[:2]
    ratio = min(1.0, side_px / max(height, width))
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    out = io.BytesIO()
    Image.fromarray(shrink_pixels(photo.pixels, size)).save(out, "WEBP", quality=80, method=2)
    return out.getvalue()


_BESIDE = 2
"""How often a file is there, at most, beside one that is tried in its place: as it came, and put in order."""

Begin = Callable[[int, int], None]
"""Called with the pixels, and the bytes of memory, that are about to be needed."""


def _decode_as_it_can_be(data: bytes, limits: Limits, begin: Begin) -> DecodedPhoto:
    """The photo; of a camera's raw file, the JPEG in it or, where that is of no use, its development."""
    if not raw.is_raw(data):
        return _decode_file(data, limits, begin)
    file = raw.read_raw(data, limits)
    notes: list[str] = []
    if file.preview is not None:
        try:
            photo = _decode_file(file.preview, limits, begin, len(data))
            return replace(photo, exif_orientation=file.orientation, capture=file.capture)
        except Unreadable:
            notes.append(raw.DEVELOPED)
    return _decode_once(replace(file, preview=None), notes, limits, begin)


def _decode_file(data: bytes, limits: Limits, begin: Begin, beside: int = 0) -> DecodedPhoto:
    """The photo as it lies there or, where that cannot be read, without what is not its pixels."""
    if out_of_order := is_out_of_order(data):
        for whole, notes in mended(data):
            with suppress(Unreadable):
                return _decode_once(whole, notes, limits, begin, beside + _BESIDE * len(data))
            del whole  # before there is a next one
    try:
        return _decode_once(data, [], limits, begin, beside)
    except Unreadable as error:
        # To Pillow, a TIFF whose tags it cannot all read is of a kind that it does not know.
        unknown = error.code == Code.UNSUPPORTED_FORMAT and data.startswith(tiff_pages.SIGNATURES)
        if error.code != Code.CORRUPT_IMAGE and not unknown:
            raise
        if kind := kind_not_read(data):
            raise not_read(kind) from error
        first = error
    for whole, notes in [] if out_of_order else mended(data):
        try:
            return _decode_once(whole, notes, limits, begin, beside + _BESIDE * len(data))
        except Unreadable as error:
            if error.code != Code.CORRUPT_IMAGE:
                raise
        del whole
    raise first


def _decode_once(
    data: bytes | raw.RawFile, warnings: list[str], limits: Limits, begin: Begin, beside: int = 0
) -> DecodedPhoto:
    """Decode, with whatever a plugin raises translated; `beside` the file, so many bytes are held."""
    try:
        return _decode_step_by_step(_opened(data, warnings, limits), warnings, limits, begin, beside)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Raised for more than 2x the limit, and for the warning where warnings are errors.
        raise Unreadable(
            Code.TOO_MANY_PIXELS, f"over {limits.max_photo_pixels / 1e6:g} megapixels"
        ) from error
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise_unidentified(data if isinstance(data, bytes) else data.data, limits.max_photo_pixels, error)
    except Exception as error:
        # Pillow's plugins let struct.error, KeyError and the like through on broken files.
        raise_damaged(error)


def _opened(data: bytes | raw.RawFile, warnings: list[str], limits: Limits) -> Opened:
    if isinstance(data, raw.RawFile):
        return raw.opened(data, limits)
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.opened(data, warnings, limits)
    return jxl.opened(data, limits) if jxl.is_jxl(data) else others.opened(data, warnings, limits)


def _decode_step_by_step(
    photo: Opened, warnings: list[str], limits: Limits, begin: Begin, beside: int
) -> DecodedPhoto:
    """The way of every photo, once opened: refused by its cost, decoded, scaled, brought to sRGB, turned."""
    cost.check(photo.bytes_ + beside, limits.max_memory)
    begin(photo.pixels, photo.bytes_ + beside)
    image, size, box = photo.load()
    image, notes = to_eight_bits(image, photo.greys)
    warnings += notes
    target = limits.target(size, photo.turn)
    if target != image.size:
        image = shrink(image, target, box)
    image, notes = to_rgb(image, photo.profile)
    warnings += notes
    if photo.gamma is not None:
        image = image.point(photo.gamma * 3)
    if photo.turn in UPRIGHT:
        image = image.transpose(UPRIGHT[photo.turn])
    pixels = np.ascontiguousarray(np.asarray(image, dtype=np.uint8))
    width, height = upright(size, photo.turn)
    return DecodedPhoto(
        pixels,
        width,
        height,
        photo.orientation,
        scale=pixels.shape[0] / height,
        warnings=tuple(dict.fromkeys(warnings)),
        capture=photo.capture,
    )


@cache
def _prepare_pillow() -> None:
    pillow_heif.register_heif_opener()
    tiff.choose_libtiff()


_limits: list[int] = []
_limits_lock = threading.Lock()
_limit_before: int | None = None


@contextmanager
def _pillow_limit(max_photo_pixels: int) -> Iterator[None]:
    """Let Pillow open what we allow while we decode, and put its own limit back afterwards.

    The limit is one global of Pillow's, far under 200 megapixels; it still guards what a header
    check cannot see, such as a TIFF's tile size or a GIF frame that outgrows its screen.
    """
    global _limit_before
    with _limits_lock:
        if not _limits:
            _limit_before = Image.MAX_IMAGE_PIXELS
        _limits.append(max_photo_pixels)
        Image.MAX_IMAGE_PIXELS = max(_limits)
    try:
        yield
    finally:
        with _limits_lock:
            _limits.remove(max_photo_pixels)
            Image.MAX_IMAGE_PIXELS = max(_limits) if _limits else _limit_before
