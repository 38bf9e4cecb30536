"""A drawn photo, by which everything that a first photo would wait for is done before there is one."""

from __future__ import annotations

import io
import logging

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nightshift.words.analysis import PhotoError
from nightshift.words.options import AnalysisOptions
from worker.pipeline.analyse import Pipeline

log = logging.getLogger(__name__)


def warm_up(pipeline: Pipeline) -> None:
    """Analyse it. Loops that nobody has compiled yet are compiled, which takes a minute on a busy machine.

    Under a lease a photo would be blamed for that.
    """
    options = AnalysisOptions()
    (found,) = pipeline.analyse([pipeline.decode(drawn_photo(), options)], options)
    if isinstance(found, PhotoError):
        log.warning("could not warm up: %s", found.message)


def drawn_photo() -> bytes:
    """A PNG to be scaled down, with enough of a face in it for all three networks to look at."""
    face = _drawn_face()
    photo = np.full((1200, 900, 3), 90, np.uint8)
    photo[:160, :160] = face
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG")
    return file.getvalue()


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
