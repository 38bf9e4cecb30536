"""Measures where a chip shows what the detector finds: the framing that a bundle's manifest names.

    python -m training.framing --chips utkface_chips.zip

The detector must not be shown the bare chip: there the face fills the frame, and the landmarks it answers lie
a twentieth of the chip's side too high and too far apart. So chips are pasted into photos first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from nightshift.words.errors import NightshiftError
from nightshift.words.options import AnalysisOptions
from shared.bundles.manifest import Framing
from training.chips import Chip, ChipArchive, sample
from training.pasting import Pasted, paste_in_rows
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.detect import Detection, Detector

CHIPS = 600
_WIDTH_PX = 1600
_SIDES_PX = (150.0, 400.0)
_NEAR = 0.25


def measure_framing(archive: ChipArchive, chips: Sequence[Chip]) -> tuple[NDArray[np.float64], int]:
    """Medians of the landmarks and of the box's corners.

    Args:
        archive: where the pixels are.
        chips: which; they are pasted upright, 150-400 px large.

    Returns:
        float64 [7, 2], fractions of the chip's side: five landmarks in the detector's order, then the box's
        upper left and lower right corner; and the number of faces measured.
    """
    sides = np.random.default_rng(0).uniform(*_SIDES_PX, len(chips)).tolist()
    options, detector = AnalysisOptions(), Detector(runtime="torch")
    points = []
    for pixels, placed in paste_in_rows(
        [archive.pixels(chip) for chip in chips], sides, [0.0] * len(chips), _WIDTH_PX
    ):
        photo = DecodedPhoto(pixels, pixels.shape[1], pixels.shape[0], 1, 1.0)
        faces = detector.detect([photo], options.min_confidence, options.min_face_px)[0].faces
        for where in placed:
            near = [face for face in faces if _is_near(face, where)]
            if len(near) == 1:
                found = np.concatenate([near[0].landmarks, near[0].box.reshape(2, 2)])
                points.append((found - (where.x, where.y)) / where.side_px + 0.5)
    return np.median(points, axis=0), len(points)


def _is_near(face: Detection, where: Pasted) -> bool:
    # The middle of the landmarks is about the chip's.
    x, y = face.landmarks.mean(axis=0)
    return bool(np.hypot(x - where.x, y - where.y) < _NEAR * where.side_px)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when it was measured, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m training.framing", description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=Path, required=True, help="zip of UTKFace's aligned chips")
    parser.add_argument(
        "--count", type=int, default=CHIPS, help="how many, of the training part (default %(default)s)"
    )
    given = parser.parse_args(argv)
    try:
        archive = ChipArchive(given.chips)
        points, faces = measure_framing(archive, sample(archive.part("train"), given.count, seed=0))
    except NightshiftError as error:
        Console(stderr=True).print(f"{error.code}: {error.message}", markup=False, highlight=False)
        return 2
    names = [*Framing.model_fields, "box, upper left", "box, lower right"]
    print(f"{faces} of {given.count} chips found; fractions of the chip's side, medians:")  # noqa: T201
    for name, (x, y) in zip(names, points, strict=True):
        print(f"  {name}: ({x:.3f}, {y:.3f})")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
