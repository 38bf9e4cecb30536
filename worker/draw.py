"""One photo as a picture for a screen, with or without boxes around its faces: a process for each.

`python -m worker.draw` reads a line of JSON and the file, and writes a line of JSON and the picture, or its
error. The API starts it (`api/drawing.py`): what a hostile file does to the process costs one answer.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageDraw

from nightshift.words.error_codes import Code
from nightshift.words.errors import Unreadable
from worker.pipeline.decoding.alone import Alone
from worker.pipeline.decoding.apart_child import limit_memory, limit_time
from worker.pipeline.decoding.decode import decode
from worker.pipeline.decoding.shrink import shrink_pixels

_SPARE_BYTES = 300_000_000
"""Address space that the libraries take for themselves, beside what is reckoned."""

_BOX, _AROUND = "#ffd54a", "#202020"
"""A line that is seen on light and dark: what a face was labelled is no colour of it."""


def drawn(data: bytes, asked: dict[str, Any]) -> bytes:
    """The picture as WebP, upright, never enlarged.

    Args:
        data: the whole file.
        asked: `side_px` of its longer side, `boxes` as fractions of width and height, and decoding's limits.

    Raises:
        Unreadable: see `worker.pipeline.decoding.decode.decode`.
    """
    side_px = asked["side_px"]
    photo = decode(
        data,
        height=side_px,
        max_photo_pixels=asked["max_photo_pixels"],
        # A wide photo is scaled to its width afterwards.
        max_working_pixels=4 * side_px * side_px,
        max_memory=asked["max_memory"],
        max_apart_s=asked["seconds"],
        alone=Alone(Path(asked["lock"])),
    )
    height, width = photo.pixels.shape[:2]
    ratio = min(1.0, side_px / max(height, width))
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    image = Image.fromarray(shrink_pixels(photo.pixels, size))
    _frame(image, asked["boxes"])
    out = io.BytesIO()
    image.save(out, "WEBP", quality=85, method=2)
    return out.getvalue()


def _frame(image: Image.Image, boxes: list[list[float]]) -> None:
    draw = ImageDraw.Draw(image)
    line_px = max(2, round(max(image.size) / 500))
    for x1, y1, x2, y2 in boxes:
        left, right = sorted((x1 * image.width, x2 * image.width))
        top, bottom = sorted((y1 * image.height, y2 * image.height))
        for outset, colour, width in ((line_px // 2 + 1, _AROUND, line_px + 2), (0, _BOX, line_px)):
            corners = (left - outset, top - outset, right + outset, bottom + outset)
            draw.rectangle(corners, outline=colour, width=width)


def answered(question: BinaryIO) -> tuple[dict[str, str], bytes]:
    """What is known of the answer, by name, and the picture."""
    asked = json.loads(question.readline())
    data = question.read()
    limit_time(asked["seconds"], asked["wall_s"])
    limit_memory(asked["max_memory"] + _SPARE_BYTES)
    try:
        return {}, drawn(data, asked)
    except Unreadable as error:
        return {"code": error.code, "message": error.message}, b""
    except MemoryError:
        message = "decoding it would take more memory than it may"
        return {"code": Code.TOO_MUCH_MEMORY, "message": message}, b""


def main() -> None:
    """Answer once."""
    known, picture = answered(sys.stdin.buffer)
    sys.stdout.buffer.write(json.dumps(known).encode() + b"\n" + picture)


if __name__ == "__main__":
    main()
