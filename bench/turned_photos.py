"""How far a photo may be turned until its faces are no longer found.

    python -m bench.turned_photos FOLDER

Every photo of the folder is turned as a whole, both ways, and the faces found are compared with those of
the upright photo: a face is the same when its middle, turned back, lies in the upright box. scikit-image's
portrait is one photo more.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.samples import astronaut
from nightshift.photos import find_photos
from shared.settings import Settings
from worker.pipeline.decode import DecodedPhoto, decode
from worker.pipeline.detect import Detection, Detector

ANGLES_DEG = (15, 30, 40, 45, 60, 90)


def turned(image: Image.Image, angle_deg: float) -> Image.Image:
    """The picture turned clockwise about its middle, in a frame that holds all of it."""
    return image.rotate(-angle_deg, Image.Resampling.BICUBIC, expand=True, fillcolor=(118, 116, 112))


def middle_turned_back(
    face: Detection, found_in: DecodedPhoto, upright: DecodedPhoto, angle_deg: float
) -> tuple[float, float]:
    """Where the middle of a face lies in the upright photo's `pixels`."""
    x, y = (face.box[:2] + face.box[2:]) / 2 / found_in.scale
    x, y = x - found_in.width / 2, y - found_in.height / 2
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x, y = cos * x + sin * y, cos * y - sin * x
    return (x + upright.width / 2) * upright.scale, (y + upright.height / 2) * upright.scale


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a Markdown table: a row an angle."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.turned_photos", description="Count the faces found in turned photos."
    )
    parser.add_argument("folder", type=Path, help="photos with upright faces")
    folder = parser.parse_args(arguments).folder
    images = [Image.open(photo.path).convert("RGB") for photo in find_photos([folder]).photos]
    images.append(astronaut())
    settings = Settings()
    detector = Detector(torch.device("cpu"))

    def look(image: Image.Image) -> tuple[DecodedPhoto, tuple[Detection, ...]]:
        data = io.BytesIO()
        image.save(data, "PNG", compress_level=1)
        photo = decode(
            data.getvalue(),
            height=settings.height,
            max_photo_pixels=round(settings.max_photo_megapixels * 1e6),
            max_working_pixels=round(settings.max_working_megapixels * 1e6),
        )
        return photo, detector.detect([photo], settings.min_confidence, settings.min_face_px)[0].faces

    upright = [look(image) for image in images]
    people = sum(len(faces) for _, faces in upright)
    say = sys.stdout.write
    say(f"| Turned | faces found again, of {people} | false ones |\n|---|---|---|\n")
    for angle_deg in (way * angle for angle in ANGLES_DEG for way in (1, -1)):
        again = false = 0
        for image, (photo, faces) in zip(images, upright, strict=True):
            found_in, found = look(turned(image, angle_deg))
            middles = [middle_turned_back(face, found_in, photo, angle_deg) for face in found]
            hits = [[_is_inside(middle, face) for face in faces] for middle in middles]
            again += int(np.any(hits, axis=0).sum()) if hits and faces else 0
            false += sum(not any(hit) for hit in hits)
        say(f"| {angle_deg:+d} degrees | {again} | {false} |\n")


def _is_inside(point: tuple[float, float], face: Detection) -> bool:
    x1, y1, x2, y2 = face.box
    return bool(x1 <= point[0] <= x2 and y1 <= point[1] <= y2)


if __name__ == "__main__":
    main()
