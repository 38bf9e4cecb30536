"""Detect, align, classify and label together, with real networks of random or shipped weights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nightshift.words.analysis import Analysis, PhotoError
from nightshift.words.errors import ModelUnavailable
from nightshift.words.options import AnalysisOptions
from shared.settings import REPOSITORY, load_settings
from tests.support import samples
from tests.support.generated_bundle import write_random_bundle
from worker.pipeline.analyse import Pipeline, build_pipeline
from worker.pipeline.bundle import load_bundle
from worker.pipeline.choice import native_precision
from worker.pipeline.classify import Classifier
from worker.pipeline.decoding.capture import Capture
from worker.pipeline.decoding.decode import DecodedPhoto
from worker.pipeline.detection.detect import Detection, Detector, PhotoDetections
from worker.pipeline.device import choose_device

CPU = "cpu"
without_cuda = pytest.mark.skipif(choose_device("auto") != CPU, reason="this machine has CUDA")
OPTIONS = AnalysisOptions()


@pytest.fixture(scope="module")
def loaded(random_bundle: Path) -> Pipeline:
    return Pipeline(load_bundle(random_bundle, CPU))


@pytest.fixture
def small(loaded: Pipeline) -> Pipeline:
    """Of the test's own, for it to replace parts of."""
    pipeline = copy(loaded)
    pipeline.detector = copy(loaded.detector)
    return pipeline


def photo(rows: int = 512, columns: int = 512) -> DecodedPhoto:
    return DecodedPhoto(np.full((rows, columns, 3), 90, np.uint8), columns, rows, 1, 1.0, decode_ms=3.0)


def test_a_384_px_bundle_runs_end_to_end(tmp_path: Path) -> None:
    write_random_bundle(tmp_path / "large", size=384)
    pipeline = build_pipeline(load_settings(weights_dir=tmp_path, bundle="large", device="cpu", threads=1))
    photos = [pipeline.decode(data, OPTIONS) for data in (samples.several_jpeg(1, 2), samples.no_face_jpeg())]
    two, none = pipeline.analyse(photos, OPTIONS)
    assert isinstance(two, Analysis) and isinstance(none, Analysis)
    assert (len(two.faces), len(none.faces)) == (2, 0)
    for face in two.faces:
        assert sum(face.gender.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert sum(face.age_group.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert face.age_years is not None and 0 <= face.age_years <= 100


@pytest.mark.parametrize("size", [64, 128])
def test_the_crop_has_the_size_that_the_manifest_says(tmp_path: Path, size: int) -> None:
    write_random_bundle(tmp_path / "bundle", size=size)
    pipeline = Pipeline(load_bundle(tmp_path / "bundle", CPU))
    (found,) = pipeline.analyse([pipeline.decode(samples.astronaut_jpeg(), OPTIONS)], OPTIONS)
    assert isinstance(found, Analysis) and len(found.faces) == 1
    with pytest.raises(ValueError, match=f"not \\({size}, {size}, 3\\)"):
        pipeline.classifier(np.zeros((1, size + 32, size + 32, 3), np.uint8))


def test_a_face_is_told_in_the_coordinates_of_the_full_photo(small: Pipeline) -> None:
    data = samples.several_jpeg(2, 3, side_px=700)
    full = small.decode(data, AnalysisOptions(height=1400))
    scaled = small.decode(data, AnalysisOptions(height=500))
    assert (full.scale, scaled.scale) == (1.0, 500 / 1400)
    one, other = small.analyse([full, scaled], OPTIONS)
    assert isinstance(one, Analysis) and isinstance(other, Analysis)
    assert len(one.faces) == len(other.faces) == 6
    assert (other.width, other.height) == (2100, 1400)
    for found in (one, other):
        assert [face.index for face in found.faces] == list(range(6))
        for face in found.faces:
            box, norm = face.box, face.box_norm
            np.testing.assert_allclose(
                [norm.x1 * 2100, norm.y1 * 1400, norm.x2 * 2100, norm.y2 * 1400],
                [box.x1, box.y1, box.x2, box.y2],
            )
            assert face.size_px == max(box.x2 - box.x1, box.y2 - box.y1)
            assert box.x1 < face.landmarks.left_eye.x < face.landmarks.right_eye.x < box.x2
    places = [
        sorted(
            (face.landmarks.nose.y > 700, face.landmarks.nose.x, face.landmarks.nose.y)
            for face in found.faces
        )
        for found in (one, other)
    ]
    np.testing.assert_allclose(places[0], places[1], atol=12)  # 4 px of the scaled photo


def test_when_and_with_what_it_was_taken_is_kept(small: Pipeline) -> None:
    taken = Capture("2026-11-24T21:35:26+01:00", "Canon", "EOS R6")
    (found,) = small.analyse([replace(photo(), capture=taken)], OPTIONS)
    assert isinstance(found, Analysis)
    assert (found.taken_at, found.camera_make, found.camera_model) == (
        taken.taken_at,
        taken.camera_make,
        taken.camera_model,
    )


def test_timings_are_each_photos_share(small: Pipeline) -> None:
    photos = [
        small.decode(samples.several_jpeg(1, 2), OPTIONS),
        small.decode(samples.no_face_jpeg(), OPTIONS),
    ]
    faces, none = small.analyse(photos, OPTIONS)
    assert isinstance(faces, Analysis) and isinstance(none, Analysis)
    assert faces.timings_ms.decode == photos[0].decode_ms > 0
    assert faces.timings_ms.detect > 0 and none.timings_ms.detect > 0
    assert faces.timings_ms.align > 0 and faces.timings_ms.classify > 0
    assert none.timings_ms.classify == 0
    assert faces.precision == small.classifier.precision


class Found(Detector):
    """As many faces on each photo as asked for, without a network."""

    def __init__(self, *counts: int, landmarks: NDArray[np.float32] | None = None) -> None:
        self.counts = counts
        self.photos_at_once = len(counts)
        points = np.array([[40, 50], [80, 50], [60, 75], [44, 95], [76, 95]], np.float32)
        self.face = Detection(
            np.array([30, 10, 90, 110], np.float32), points if landmarks is None else landmarks, 0.99
        )

    def detect(
        self,
        photos: Sequence[DecodedPhoto],
        min_confidence: float,
        min_face_px: int,
        progress: Callable[[Collection[str]], None] = lambda _: None,
    ) -> list[PhotoDetections]:
        return [PhotoDetections((self.face,) * count, None, 1.0) for count in self.counts]


class Doubting(Found):
    """One face after another, of falling size, with these confidences."""

    def __init__(self, *confidences: float) -> None:
        super().__init__(1)
        self.confidences = confidences

    def detect(
        self,
        photos: Sequence[DecodedPhoto],
        min_confidence: float,
        min_face_px: int,
        progress: Callable[[Collection[str]], None] = lambda _: None,
    ) -> list[PhotoDetections]:
        faces = (replace(self.face, confidence=each) for each in self.confidences if each >= min_confidence)
        return [PhotoDetections(tuple(faces), None, 1.0)]


@pytest.mark.parametrize(
    ("min_confidence", "sure", "unsure"),
    [
        (0.9, [0.95, 0.9], [0.75, 0.89]),
        (0.7, [0.75, 0.95, 0.89, 0.9], []),
        (0.5, [0.75, 0.95, 0.89, 0.6, 0.9], []),
    ],
)
def test_faces_of_low_confidence_are_kept_apart(
    small: Pipeline, min_confidence: float, sure: list[float], unsure: list[float]
) -> None:
    small.detector = Doubting(0.75, 0.95, 0.89, 0.6, 0.9)
    (found,) = small.analyse([photo()], AnalysisOptions(min_confidence=min_confidence))
    assert isinstance(found, Analysis) and found.low_confidence_faces is not None
    assert [face.confidence for face in found.faces] == sure
    assert [face.confidence for face in found.low_confidence_faces] == unsure
    assert [face.index for face in (*found.faces, *found.low_confidence_faces)] == list(
        range(len(sure) + len(unsure))
    )


class Scarce(Classifier):
    """Has memory for few crops at once, and for none that is darker than `least`."""

    most = 2
    least = 0

    def __call__(
        self, crops: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if len(crops) > self.most or min(int(np.asarray(crop).max()) for crop in crops) < self.least:
            raise MemoryError
        return super().__call__(crops)


def test_a_batch_too_large_for_the_memory_gives_the_same_answers(small: Pipeline) -> None:
    photos = [
        small.decode(samples.several_jpeg(2, 3), OPTIONS),
        small.decode(samples.astronaut_jpeg(), OPTIONS),
    ]
    expected = small.analyse(photos, OPTIONS)
    small.classifier = Scarce(small.bundle)
    for one, other in zip(small.analyse(photos, OPTIONS), expected, strict=True):
        assert isinstance(one, Analysis) and isinstance(other, Analysis)
        assert len(one.faces) > 0
        for a, b in zip(one.faces, other.faces, strict=True):
            assert a.box == b.box
            assert a.gender.probabilities == pytest.approx(b.gender.probabilities, abs=1e-5)


def test_a_photo_that_does_not_fit_alone_fails_alone_and_may_be_retried(small: Pipeline) -> None:
    small.detector = Found(2, 1, 3)
    scarce = Scarce(small.bundle)
    scarce.least = 50
    small.classifier = scarce
    dark = replace(photo(), pixels=np.zeros((512, 512, 3), np.uint8))
    found = small.analyse([photo(), dark, photo()], OPTIONS)
    assert [len(each.faces) if isinstance(each, Analysis) else each.code for each in found] == [
        2,
        "out_of_memory",
        3,
    ]
    error = found[1]
    assert isinstance(error, PhotoError)
    assert (error.stage, error.retryable) == ("classify", True)


def test_a_photo_that_cannot_be_cropped_fails_alone(small: Pipeline) -> None:
    small.detector = Found(1, 2, 1)
    broken = replace(photo(), pixels=np.zeros(512, np.uint8))
    found = small.analyse([photo(), broken, photo()], OPTIONS)
    assert [len(each.faces) if isinstance(each, Analysis) else each.code for each in found] == [
        1,
        "internal",
        1,
    ]
    error = found[1]
    assert isinstance(error, PhotoError)
    assert (error.stage, error.retryable) == ("align", False)


def test_a_photo_that_cannot_be_searched_fails_alone(small: Pipeline) -> None:
    broken = replace(photo(), pixels=np.full((512, 512, 3), "no pixels", dtype=object))
    portrait = small.decode(samples.astronaut_jpeg(), OPTIONS)
    found = small.analyse([portrait, broken], OPTIONS)
    assert isinstance(found[0], Analysis) and len(found[0].faces) == 1
    assert isinstance(found[1], PhotoError)
    assert (found[1].code, found[1].stage) == ("internal", "detect")


@pytest.mark.parametrize("value", [50.0, np.nan])
def test_landmarks_of_no_use_are_replaced_by_those_of_the_box(small: Pipeline, value: float) -> None:
    small.detector = Found(1, landmarks=np.full((5, 2), value, np.float32))
    (found,) = small.analyse([photo()], OPTIONS)
    assert isinstance(found, Analysis)
    (face,) = found.faces
    assert not face.aligned
    assert face.box.x1 < face.landmarks.left_eye.x < face.landmarks.right_eye.x < face.box.x2
    assert "landmarks" in found.warnings[0]


@pytest.mark.parametrize(("threshold", "aligned"), [(30.0, False), (11.25, True), (0.0, True)])
def test_the_jobs_tilt_threshold_is_followed(small: Pipeline, threshold: float, aligned: bool) -> None:
    portrait = small.decode(samples.astronaut_jpeg(turn_deg=20), OPTIONS)
    (found,) = small.analyse([portrait], AnalysisOptions(tilt_threshold_deg=threshold))
    assert isinstance(found, Analysis)
    assert found.faces[0].aligned is aligned
    assert 12 < found.faces[0].roll_deg < 30


def test_what_progress_raises_passes_through_at_every_stage(small: Pipeline) -> None:
    class Stop(Exception):
        pass

    photos = [small.decode(samples.several_jpeg(2, 3), OPTIONS)] * 3
    calls = 0

    def count(_: Collection[str]) -> None:
        nonlocal calls
        calls += 1

    small.analyse(photos, OPTIONS, count)
    assert calls >= len(photos) + 3, "before each photo, before each pass of the classifier, at the end"
    for stop_at in range(1, calls + 1):
        left = stop_at

        def progress(_: Collection[str]) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Stop

        with pytest.raises(Stop):
            small.analyse(photos, OPTIONS, progress)


def test_progress_speaks_of_photos_by_their_ids(small: Pipeline) -> None:
    small.detector.photos_at_once = 3
    faces = small.decode(samples.several_jpeg(1, 2), OPTIONS)
    none, tall = photo(), photo(640)
    batch = [none, tall, none, faces, tall, faces]
    photos = [replace(each, id=name) for each, name in zip(batch, "abcdef", strict=True)]
    said: list[list[str]] = []

    def progress(at: Collection[str]) -> None:
        said.append(sorted(at))

    small.analyse(photos, OPTIONS, progress)
    assert said == [["a", "c"], ["b"], ["d", "f"], ["e"], ["d", "f"], []]


def test_no_photos_have_no_results(small: Pipeline) -> None:
    assert small.analyse([], OPTIONS) == []


def test_the_working_limit_of_the_settings_is_followed(random_bundle: Path) -> None:
    settings = load_settings(bundle=str(random_bundle), device="cpu", threads=1, max_working_megapixels=0.05)
    decoded = build_pipeline(settings).decode(samples.astronaut_jpeg(), OPTIONS)
    assert 45_000 < decoded.pixels.shape[0] * decoded.pixels.shape[1] <= 50_000


def test_an_unknown_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        build_pipeline(load_settings(weights_dir=tmp_path, bundle="nothing-here", device="cpu"))
    assert caught.value.code == "bundle_not_found"


@without_cuda
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_cuda_where_there_is_none_is_named(name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        choose_device(name)
    assert caught.value.code == "device_unavailable"
    assert name in caught.value.message


@without_cuda
def test_auto_is_the_cpu_where_there_is_no_cuda() -> None:
    assert choose_device("auto") == choose_device("cpu") == CPU
    assert native_precision(CPU) in (None, "bf16")


def test_bf16_agrees_with_fp32(random_bundle: Path) -> None:
    bundle = load_bundle(random_bundle, CPU)
    crops = np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    for one, other in zip(Classifier(bundle, "bf16")(crops), Classifier(bundle, "fp32")(crops), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=0.02)


IMPORT_ONLY = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import worker.pipeline.analyse
weights = [path for path in opened if path.endswith((".pt", ".pth", ".safetensors"))]
assert not weights, weights
assert "torch" not in sys.modules
"""


def test_importing_loads_no_weights_and_no_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ONLY], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
