"""Nightshift's pipeline in one process with all cores, without the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.protocol import STAGES, FoundFace, Pass, Reading, Setup
from nightshift.words.analysis import Analysis, Face, PhotoError
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from nightshift.words.options import AnalysisOptions
from shared.settings import Settings
from worker.ahead import PixelBudget, done_ahead
from worker.pipeline.align import crop, crop_transform, framing_points
from worker.pipeline.analyse import Pipeline, build_pipeline
from worker.pipeline.decoding.decode import DecodedPhoto

PIXELS = Settings.model_fields["max_pixels_in_flight"].default


def analyse_folder(
    pipeline: Pipeline, photos: Sequence[Path], options: AnalysisOptions
) -> list[Analysis | PhotoError]:
    """Read and decode in a thread ahead of the networks, as a worker does; one entry a photo, in order."""
    budget = PixelBudget(PIXELS)

    def decode(path: Path) -> DecodedPhoto:
        return pipeline.decode(path.read_bytes(), options)

    with done_ahead(decode, photos, 1, budget) as decoded:
        return pipeline.analyse(_within(budget, decoded), options)


def _within(budget: PixelBudget, decoded: Iterator[DecodedPhoto]) -> Iterator[DecodedPhoto]:
    for photo in decoded:
        pixels = photo.pixels.shape[0] * photo.pixels.shape[1]
        budget.take(pixels)
        yield photo
        budget.give_back(pixels)


def succeeded(found: Analysis | PhotoError) -> Analysis:
    """What was found.

    Raises:
        NightshiftError: the photo failed, with its own code.
    """
    if isinstance(found, PhotoError):
        raise NightshiftError(Code[found.code.upper()], found.message)
    return found


def found_face(face: Face, reading: Reading | None = None) -> FoundFace:
    """A face as the protocol has it."""
    box = (face.box.x1, face.box.y1, face.box.x2, face.box.y2)
    return FoundFace(box, face.gender.value, face.age_group.label, reading)


class PipelineFlow:
    """See the module; `read` reads the very same crops with the plain network, too."""

    def __init__(self, setup: Setup) -> None:
        settings = Settings(bundle=str(setup.bundle), workers=1, home=setup.workspace)
        self._bundle = setup.bundle
        self._pipeline = build_pipeline(settings)
        self._options = AnalysisOptions()
        self.about: Mapping[str, str] = {
            "threads": str(settings.network_threads),
            "precision": self._pipeline.classifier.precision,
            "input": f"{self._pipeline.bundle.manifest.input.size} px",
            "runtime": self._pipeline.classifier.runtime,
        }

    def warm_up(self, photos: Sequence[Path]) -> None:
        """One pass over a few photos."""
        self.run(photos)

    def run(self, photos: Sequence[Path]) -> Pass:
        """One timed pass."""
        started = time.perf_counter()
        found = [succeeded(entry) for entry in analyse_folder(self._pipeline, photos, self._options)]
        seconds = time.perf_counter() - started
        stages = {name: sum(getattr(entry.timings_ms, name) for entry in found) / 1000 for name in STAGES}
        return Pass(
            tuple(tuple(found_face(face) for face in entry.faces) for entry in found), seconds, stages
        )

    def read(self, photos: Sequence[Path]) -> Pass:
        """The labels of a pass beside those of the plain network, for crops by the same landmarks."""
        # Here, because it loads torch: worker.pipeline, which sets how its threads wait, has to come first.
        from bench.plain_network import PlainReader

        reader = PlainReader(self._bundle)
        framing, side = framing_points(reader.manifest.framing), reader.manifest.input.size
        found = []
        for path in photos:
            photo = self._pipeline.decode(path.read_bytes(), self._options)
            analysis = succeeded(self._pipeline.analyse([photo], self._options)[0])
            rows, columns = photo.pixels.shape[:2]
            ratio = np.array([columns / photo.width, rows / photo.height])
            faces = []
            for face in analysis.faces:
                points = face.landmarks
                named = (
                    points.left_eye,
                    points.right_eye,
                    points.nose,
                    points.mouth_left,
                    points.mouth_right,
                )
                landmarks = np.array([(point.x, point.y) for point in named]) * ratio
                matrix, _ = crop_transform(landmarks, framing, side, self._options.tilt_threshold_deg)
                faces.append(found_face(face, reader.read(crop(photo.pixels, matrix, side))))
            found.append(tuple(faces))
        return Pass(tuple(found))
