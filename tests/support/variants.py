"""The pipeline, and the same with one known mistake in it, run over faces that were detected once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nightshift.words.analysis import Analysis, Face
from nightshift.words.options import AnalysisOptions
from shared.bundles.manifest import InputSpec
from worker.pipeline.align import framing_points
from worker.pipeline.analyse import Pipeline
from worker.pipeline.classify import Classifier
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.detect import Detection, Detector, PhotoDetections
from worker.pipeline.label import group_probabilities

Probabilities = tuple[NDArray[np.float32], NDArray[np.float32]]
Crops = NDArray[np.uint8]


class Remembered(Detector):
    """Answers what another detector found; `change` may spoil it."""

    def __init__(
        self,
        detections: Sequence[PhotoDetections],
        change: Callable[[Detection], Detection] = lambda face: face,
    ) -> None:
        self._found = [replace(d, faces=tuple(change(face) for face in d.faces)) for d in detections]
        self.photos_at_once = len(detections)

    def detect(
        self,
        photos: Sequence[DecodedPhoto],
        min_confidence: float,
        min_face_px: int,
        progress: Callable[[Collection[str]], None] = lambda _: None,
    ) -> list[PhotoDetections]:
        return self._found


class Spoiled(Classifier):
    """Another classifier that is handed crops that `change` has spoiled."""

    def __init__(self, classifier: Classifier, change: Callable[[Crops], Crops]) -> None:
        self.faces_at_once = classifier.faces_at_once
        self.precision = classifier.precision
        self.runtime = classifier.runtime
        self._classifier, self._change = classifier, change

    def __call__(self, crops: Crops | Sequence[Crops]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._classifier(self._change(np.asarray(crops)))


def bgr(crops: Crops) -> Crops:
    return np.ascontiguousarray(crops[..., ::-1])


def without_normalisation(spec: InputSpec) -> Callable[[Crops], Crops]:
    """Makes crops that the network gets as 0-1 once mean and standard deviation are out."""
    mean, std = np.array(spec.mean), np.array(spec.std)

    def change(crops: Crops) -> Crops:
        changed: Crops = np.rint(crops * std + mean * 255).astype(np.uint8)
        return changed

    return change


def by_bare_box(framing: NDArray[np.float64]) -> Callable[[Detection], Detection]:
    """Puts the landmarks where they make MTCNN's own box the crop."""

    def change(face: Detection) -> Detection:
        corner, size = face.box[:2], face.box[2:] - face.box[:2]
        return replace(face, landmarks=(corner + framing * size).astype(np.float32))

    return change


MISTAKES = ("swapped channels", "no normalisation", "bare box")


def run(
    pipeline: Pipeline,
    photos: Sequence[DecodedPhoto],
    detections: Sequence[PhotoDetections],
    mistake: str = "",
) -> list[tuple[Face, ...]]:
    """Faces of each photo, by the real align, classify and label, with one mistake or none."""
    classifier = pipeline.classifier
    if mistake == "swapped channels":
        classifier = Spoiled(classifier, bgr)
    elif mistake == "no normalisation":
        classifier = Spoiled(classifier, without_normalisation(pipeline.bundle.manifest.input))
    tried = Pipeline(pipeline.bundle, classifier=classifier)
    framing = framing_points(pipeline.bundle.manifest.framing)
    tried.detector = Remembered(detections, by_bare_box(framing) if mistake == "bare box" else lambda f: f)
    faces = []
    for found in tried.analyse(photos, AnalysisOptions()):
        assert isinstance(found, Analysis), found
        faces.append(found.faces)
    return faces


@dataclass(frozen=True, slots=True)
class Agreement:
    """How faces through the pipeline compare with the same faces fed to the network directly.

    Attributes:
        faces: how many were compared.
        female: mean absolute difference of P(female).
        age_groups: mean total variation between the distributions over the age groups.
    """

    faces: int
    female: float
    age_groups: float


def agreement(
    pipeline: Pipeline, through: Sequence[Face], direct: Probabilities
) -> tuple[Agreement, NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare; also who is called female through the pipeline, and directly.

    Args:
        pipeline: tells the heads.
        through: faces that the pipeline found.
        direct: what the classifier says of the same faces fed to it directly, gender and age.
    """
    gender, age = direct
    heads = pipeline.bundle.manifest.heads
    direct_female = gender[:, heads.gender.classes.index("female")]
    female = np.array([face.gender.probabilities["female"] for face in through])
    groups = np.array([list(face.age_group.probabilities.values()) for face in through])
    direct_groups = np.stack([group_probabilities(a, g, heads.age) for g, a in zip(gender, age, strict=True)])
    measured = Agreement(
        len(through),
        float(np.abs(female - direct_female).mean()),
        float(np.abs(groups - direct_groups).sum(axis=1).mean() / 2),
    )
    return measured, female > 0.5, direct_female > 0.5
