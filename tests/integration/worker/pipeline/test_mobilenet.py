"""The second architecture behind the real detector: batched is single, and OpenVINO is torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightshift.words.analysis import Analysis
from nightshift.words.options import AnalysisOptions
from shared.settings import load_settings
from tests.support import samples
from tests.support.generated_bundle import write_random_bundle
from worker.pipeline.analyse import build_pipeline

OPTIONS = AnalysisOptions()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_random_bundle(folder / "mobile", size=160, architecture="mobilenet_v1")
    return folder


@pytest.mark.parametrize("name", ["faces-mobilenet", "utkface-v2s"])
def test_what_is_shipped_knows_a_portrait(name: str) -> None:
    settings = load_settings(bundle=name, device="cpu", threads=1)
    pipeline = build_pipeline(settings)
    (found,) = pipeline.analyse([pipeline.decode(samples.astronaut_jpeg(), OPTIONS)], OPTIONS)
    assert isinstance(found, Analysis)
    (face,) = found.faces
    assert face.gender.probabilities["female"] > 0.7
    assert face.age_years is not None and 25 < face.age_years < 55


def analysed(weights: Path, runtime: str) -> list[Analysis]:
    settings = load_settings(weights_dir=weights, bundle="mobile", device="cpu", threads=1, runtime=runtime)
    pipeline = build_pipeline(settings)
    files = [samples.several_jpeg(2, 3), samples.astronaut_jpeg(mirrored=True, turn_deg=25)]
    photos = [pipeline.decode(data, OPTIONS) for data in files]
    together = pipeline.analyse(photos, OPTIONS)
    alone = [found for photo in photos for found in pipeline.analyse([photo], OPTIONS)]
    for one, other in zip(together, alone, strict=True):
        assert isinstance(one, Analysis) and isinstance(other, Analysis)
        assert_same(one, other)
    return [found for found in together if isinstance(found, Analysis)]


def assert_same(one: Analysis, other: Analysis) -> None:
    assert len(one.faces) == len(other.faces) > 0
    for face, twin in zip(one.faces, other.faces, strict=True):
        assert face.gender.probabilities == pytest.approx(twin.gender.probabilities, abs=0.01)
        assert face.age_group.probabilities == pytest.approx(twin.age_group.probabilities, abs=0.01)


def test_photos_are_analysed_alike_on_both_runtimes(weights: Path) -> None:
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    for one, other in zip(analysed(weights, "openvino"), analysed(weights, "torch"), strict=True):
        assert_same(one, other)
