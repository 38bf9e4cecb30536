"""Bundles of the second architecture: loaded, checked and run as the others are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import FEATURES, MANIFEST, read_manifest
from tests.support.generated_bundle import manifest, random_tensors, write_random_bundle
from worker.check_bundle import check_bundle, made_crops
from worker.pipeline.bundle import load_bundle, write_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.runtime import runtimes


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "mobile"
    write_random_bundle(folder, size=96, architecture="mobilenet_v1")
    return folder


def test_it_loads_and_answers(bundle: Path) -> None:
    gender, age = Classifier(load_bundle(bundle))(made_crops(96))
    assert (gender.shape, age.shape) == ((4, 2), (4, 101))
    assert check_bundle(bundle)["crops"] == 4


def test_both_runtimes_say_the_same_of_one_face_and_of_many(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    crops = np.concatenate([made_crops(96)] * 3)
    answers = {}
    for runtime in runtimes("cpu"):
        classifier = Classifier(loaded, runtime=runtime)
        together = classifier(crops)
        singly = [np.concatenate(each) for each in zip(*(classifier([crop]) for crop in crops), strict=True)]
        for one, other in zip(together, singly, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
        answers[runtime] = np.concatenate(together, axis=1)
    for other in answers.values():
        np.testing.assert_allclose(next(iter(answers.values())), other, atol=1e-4)


@pytest.mark.parametrize(
    ("named", "weights"), [("efficientnet_v2_s", "mobilenet_v1"), ("mobilenet_v1", "efficientnet_v2_s")]
)
def test_tensors_of_the_other_architecture_are_refused(tmp_path: Path, named: str, weights: str) -> None:
    described = manifest() | {"architecture": named, "features": FEATURES[named]}  # type: ignore[index]
    with pytest.raises(ModelUnavailable, match="tensors are missing, the first is") as caught:
        write_bundle(tmp_path, described, random_tensors(architecture=weights))  # type: ignore[arg-type]
    assert caught.value.code == "bundle_tensors"


def test_a_kernel_of_another_shape_is_named(tmp_path: Path) -> None:
    tensors = random_tensors(architecture="mobilenet_v1")
    tensors["features.conv03.weight"] = np.zeros((64, 64, 3, 3), np.float16)
    with pytest.raises(ModelUnavailable, match=r"features\.conv03\.weight has shape") as caught:
        write_bundle(tmp_path, manifest(architecture="mobilenet_v1"), tensors)
    assert caught.value.code == "bundle_tensors"


def test_the_number_of_features_is_the_architectures(bundle: Path, tmp_path: Path) -> None:
    document = json.loads((bundle / MANIFEST).read_text(encoding="utf-8")) | {"features": 1280}
    (tmp_path / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ModelUnavailable, match="features must be 1024, those of mobilenet_v1") as caught:
        read_manifest(tmp_path)
    assert caught.value.code == "bundle_format"
