"""Batched is single: what is found does not depend on who else is in the batch, nor on the order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from nightshift.words.analysis import Analysis, Face
from nightshift.words.options import AnalysisOptions
from tests.support import samples
from tests.support.reference_data import PHOTOS, SHIPPED_BUNDLE, needs_photos, needs_shipped_bundle
from worker.pipeline.analyse import Pipeline
from worker.pipeline.bundle import load_bundle
from worker.pipeline.choice import native_precision
from worker.pipeline.classify import Classifier
from worker.pipeline.decoding.decode import DecodedPhoto

pytestmark = needs_shipped_bundle

CPU = "cpu"
OPTIONS = AnalysisOptions()
FP32, BF16 = 0.01, 0.03
"""Most that a probability may differ in each number format."""


@pytest.fixture(scope="module")
def batching() -> Pipeline:
    """Eight photos of one size in a call, as on a GPU."""
    return Pipeline(load_bundle(SHIPPED_BUNDLE, CPU), photos_at_once=8)


def made(pipeline: Pipeline) -> list[DecodedPhoto]:
    files = [
        samples.astronaut_jpeg(),
        samples.several_jpeg(2, 3),
        samples.no_face_jpeg("coffee"),
        samples.astronaut_jpeg(mirrored=True, turn_deg=25),
        samples.several_jpeg(2, 3, quality=60),
        samples.astronaut_jpeg(1200, exif_orientation=6),
    ]
    return [pipeline.decode(data, OPTIONS) for data in files]


def faces_of(pipeline: Pipeline, photos: Sequence[DecodedPhoto]) -> list[tuple[Face, ...]]:
    found = pipeline.analyse(photos, OPTIONS)
    assert all(isinstance(each, Analysis) for each in found), found
    return [each.faces for each in found if isinstance(each, Analysis)]


def singly(pipeline: Pipeline, photos: Sequence[DecodedPhoto]) -> list[tuple[Face, ...]]:
    return [faces for photo in photos for faces in faces_of(pipeline, [photo])]


def assert_same(
    found: Sequence[tuple[Face, ...]], expected: Sequence[tuple[Face, ...]], off_by: float = FP32
) -> None:
    assert [len(faces) for faces in found] == [len(faces) for faces in expected]
    for one, other in (
        (a, b) for f, e in zip(found, expected, strict=True) for a, b in zip(f, e, strict=True)
    ):
        box, wanted = one.box, other.box
        np.testing.assert_allclose(
            [box.x1, box.y1, box.x2, box.y2], [wanted.x1, wanted.y1, wanted.x2, wanted.y2], atol=1.0
        )
        assert one.gender.probabilities == pytest.approx(other.gender.probabilities, abs=off_by)
        assert one.age_group.probabilities == pytest.approx(other.age_group.probabilities, abs=off_by)


def assert_independent(pipeline: Pipeline, batching: Pipeline, photos: Sequence[DecodedPhoto]) -> None:
    expected = singly(pipeline, photos)
    assert sum(map(len, expected)) >= 10
    assert_same(faces_of(pipeline, photos), expected)
    assert_same(faces_of(batching, photos), expected)
    assert_same(faces_of(pipeline, photos[::-1])[::-1], expected)
    assert_same(faces_of(batching, [*photos[3:], *photos[:3]]), [*expected[3:], *expected[:3]])


def test_made_photos(pipeline: Pipeline, batching: Pipeline) -> None:
    assert_independent(pipeline, batching, made(pipeline))


@needs_photos
def test_the_reference_photos(pipeline: Pipeline, batching: Pipeline) -> None:
    paths: list[Path] = sorted(PHOTOS.glob("*.jpg"))
    assert_independent(pipeline, batching, [pipeline.decode(path.read_bytes(), OPTIONS) for path in paths])


def test_bf16_batches_are_bf16_singles_and_near_fp32(pipeline: Pipeline) -> None:
    """On torch, which emulates it where the processor has none: so few faces."""
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    bundle = load_bundle(SHIPPED_BUNDLE, CPU)
    narrow = Pipeline(bundle, classifier=Classifier(bundle, "bf16", "torch"))
    photos = made(pipeline)[:1] * 2 if native_precision(CPU) is None else made(pipeline)
    found = faces_of(narrow, photos)
    assert_same(found, singly(narrow, photos), BF16)
    assert_same(found, singly(pipeline, photos), BF16)
    (analysis,) = narrow.analyse(photos[:1], OPTIONS)
    assert isinstance(analysis, Analysis) and analysis.precision == "bf16"
