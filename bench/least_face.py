"""What a larger least face saves, and which faces it costs.

    python -m bench.least_face FOLDER [--rounds 5]

Detects in every photo of the folder with each `min_face_px`, one after the other in every round. A face is
found again when it overlaps one that the default finds by an IoU over 0.5.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from bench.matching import count_faces, count_matched
from bench.photo_folder import photos_in
from bench.protocol import FoundFace
from shared.settings import Settings
from worker.pipeline.decode import decode
from worker.pipeline.detect import Detector

LEAST_PX = (12, 20, 30, 40, 60, 80)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a Markdown table: a row a least size."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.least_face", description="Time and count faces by the least size looked for."
    )
    parser.add_argument("folder", type=Path, help="photos")
    parser.add_argument("--rounds", type=int, default=5, help="how often (default: 5)")
    given = parser.parse_args(arguments)
    settings, detector = Settings(), Detector(torch.device("cpu"))
    photos = [
        decode(
            path.read_bytes(),
            height=settings.height,
            max_photo_pixels=round(settings.max_photo_megapixels * 1e6),
            max_working_pixels=round(settings.max_working_megapixels * 1e6),
        )
        for path in photos_in(given.folder)
    ]
    seconds: dict[int, list[float]] = {least: [] for least in LEAST_PX}
    faces: dict[int, list[list[FoundFace]]] = {}
    for _ in range(given.rounds + 1):  # the first warms up
        for least in LEAST_PX:
            started = time.perf_counter()
            found = detector.detect(photos, settings.min_confidence, least)
            seconds[least].append(time.perf_counter() - started)
            faces[least] = [[FoundFace(tuple(face.box.tolist())) for face in each.faces] for each in found]
    default = settings.min_face_px
    say = sys.stdout.write
    say(f"| `min_face_px` | time to detect, of that at {default} | faces | of those at {default} |\n")
    say("|---|--:|--:|--:|\n")
    for least in LEAST_PX:
        ratio = statistics.median(
            own / usual for own, usual in zip(seconds[least][1:], seconds[default][1:], strict=True)
        )
        again = count_matched(faces[least], faces[default])
        say(f"| {least} | {ratio:.2f} | {count_faces(faces[least])} | {again} |\n")


if __name__ == "__main__":
    main()
