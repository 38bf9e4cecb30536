"""Command: have numba compile the loops of the pipeline and keep them, so that no photo waits for it.

    python -m worker.compile_loops

`make` and the images run it when they install. Workers find what it keeps beside the sources, or in
NUMBA_CACHE_DIR; it fits processors like this one, and is made again on others.
"""

from __future__ import annotations

import io
import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nightshift.words.errors import NightshiftError
from nightshift.words.options import AnalysisOptions
from worker.pipeline.decoding.limits import UNTOLD
from worker.pipeline.detection.detect import Detector
from worker.pipeline.runtime import CPU, use_threads


def drawn_photo() -> bytes:
    """A PNG to be scaled down, with enough of a face in it for all three networks to look at."""
    face = _drawn_face()
    photo = np.full((1200, 900, 3), 90, np.uint8)
    photo[:160, :160] = face
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    return file.getvalue()


def compile_loops() -> None:
    """Take one photo through decoding and detection, by which every loop is called as photos call it.

    Raises:
        ModelUnavailable: there is nothing that networks run on, or the detector's weights cannot be read.
    """
    use_threads(1)
    options = AnalysisOptions()
    photo = UNTOLD(drawn_photo(), options, lambda _: None)
    (found,) = Detector(CPU).detect([photo], options.min_confidence, options.min_face_px)
    if found.error is not None:
        raise found.error


def _drawn_face() -> NDArray[np.uint8]:
    """uint8 [160, 160, 3]: ellipses on grey."""
    y, x = np.mgrid[:160, :160]
    picture = np.full((160, 160, 3), 90, np.uint8)
    for middle_x, middle_y, wide, high, colour in (
        (80, 80, 42, 55, (205, 165, 140)),
        (62, 70, 9, 5, (40, 30, 30)),
        (98, 70, 9, 5, (40, 30, 30)),
        (80, 88, 6, 8, (180, 130, 110)),
        (80, 110, 16, 4, (150, 60, 60)),
    ):
        picture[((x - middle_x) / wide) ** 2 + ((y - middle_y) / high) ** 2 < 1] = colour
    return picture


def main() -> int:
    """0 when they are compiled; 6 when nothing runs here, with the reason."""
    try:
        compile_loops()
    except NightshiftError as error:
        print(f"{error.message} ({error.code})", file=sys.stderr)  # noqa: T201
        return 6
    return 0


if __name__ == "__main__":
    sys.exit(main())
