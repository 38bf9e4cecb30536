"""ONNX bundles: what runs gives the networks' own answers, and what cannot run is refused by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import AGE_ONNX, GENDER_ONNX, Manifest
from tests.support.onnx_made import HALF, make_onnx_bundle, network
from worker.check_bundle import check_bundle, made_crops
from worker.pipeline.bundle import load_bundle
from worker.pipeline.choice import choose
from worker.pipeline.classify import Classifier
from worker.pipeline.runtime import openvino_core

CPU = "cpu"


def refused(folder: Path, device: str = CPU) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_bundle(folder, device)
    return caught.value


def own_answers(data: bytes, crops: np.ndarray[Any, Any], manifest: Manifest) -> np.ndarray[Any, Any]:
    """What the network itself says of crops at its size."""
    images = (crops.astype(np.float32) / 255 - np.array(manifest.input.mean)) / np.array(manifest.input.std)
    compiled = openvino_core().compile_model(
        openvino_core().read_model(data), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return np.asarray(compiled(images.transpose(0, 3, 1, 2).astype(np.float32))[0])


def test_its_probabilities_are_those_of_its_networks(tmp_path: Path) -> None:
    manifest = make_onnx_bundle(tmp_path / "a")
    crops = made_crops(64)
    gender, age = Classifier(load_bundle(tmp_path / "a", CPU))(crops)
    halved = crops.reshape(-1, 32, 2, 32, 2, 3).astype(np.float32).mean(axis=(2, 4))
    np.testing.assert_allclose(gender, own_answers(network(32, 2), halved, manifest), atol=1e-5)
    np.testing.assert_allclose(age, own_answers(network(64, 81), crops, manifest), atol=1e-5)


def test_temperatures_flatten_them(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "a")
    make_onnx_bundle(tmp_path / "b", temperatures={"gender": 2.0, "age": 3.0})
    crops = made_crops(64)
    plain, cooled = (Classifier(load_bundle(tmp_path / name, CPU))(crops) for name in "ab")
    for before, after, temperature in zip(plain, cooled, (2, 3), strict=True):
        expected = before ** (1 / temperature)
        np.testing.assert_allclose(after, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)


def test_it_is_checked_like_any_other(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "a")
    found = check_bundle(tmp_path / "a")
    # Weight and bias of each, and what OpenVINO makes of the layer's own factors.
    assert found.pop("tensors") >= 4
    assert found == {"age_outputs": 81, "crops": 4}


def test_its_networks_run_on_openvino_alone(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "a")
    bundle = load_bundle(tmp_path / "a", CPU)
    classifier, choice = choose(bundle, "auto", "fp32")
    assert (classifier.runtime, choice.runtime) == ("openvino", "openvino")
    with pytest.raises(ModelUnavailable, match="for a cpu has openvino") as caught:
        choose(bundle, "torch")
    assert caught.value.code == "runtime_unavailable"


def test_they_are_refused_on_cuda_by_name(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "a")
    error = refused(tmp_path / "a", "cuda:0")
    assert error.code == "device_unavailable"
    assert "device cuda:0 was asked for; the ONNX networks of a run by OpenVINO" in error.message


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"gender": network(32, 3)}, "gender.onnx has 3 outputs, not 2"),
        ({"age": network(64, 65)}, "age.onnx has 65 outputs; an age head of years has at least 66"),
        ({"age": network(48, 81)}, "age.onnx takes 48 x 48 pixels, which a crop of 64 is no multiple of"),
        ({"age": network(128, 81)}, "age.onnx takes 128 x 128 pixels"),
        ({"age": network(None, 81)}, "age.onnx takes f32 [?,3,?,?], not f32 [N, 3, s, s]"),
        ({"gender": network(32, 2, batch=1)}, "gender.onnx takes f32 [1,3,32,32]"),
        ({"gender": network(32, 2, channels=1)}, "gender.onnx takes f32 [?,1,32,32]"),
        ({"gender": network(32, 2, number=HALF)}, "gender.onnx takes f16"),
        ({"gender": network(32, 2, inputs=("images", "more"))}, "2 inputs and 1 outputs, not one each"),
        ({"age": network(64, 81, also=("logits",))}, "1 inputs and 2 outputs, not one each"),
        ({"age": network(64, 81, softmax=False)}, "age.onnx does not give probabilities"),
        ({"age": network(64, 81)[:200]}, "age.onnx is no ONNX network that OpenVINO reads"),
        ({"gender": b"none"}, "gender.onnx is no ONNX network that OpenVINO reads"),
    ],
)
def test_networks_of_another_form_are_named(tmp_path: Path, files: dict[str, Any], named: str) -> None:
    make_onnx_bundle(tmp_path / "a", **files)
    error = refused(tmp_path / "a")
    assert (error.code, named in error.message) == ("bundle_tensors", True), error.message


@pytest.mark.parametrize("name", [GENDER_ONNX, AGE_ONNX])
def test_other_bytes_than_the_manifest_names_are_refused(tmp_path: Path, name: str) -> None:
    make_onnx_bundle(tmp_path / "a")
    data = (tmp_path / "a" / name).read_bytes()
    (tmp_path / "a" / name).write_bytes(data[:-1])
    error = refused(tmp_path / "a")
    assert (error.code, name in error.message) == ("bundle_sha256", True)
    (tmp_path / "a" / name).unlink()
    assert refused(tmp_path / "a").code == "bundle_not_found"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"features": 1280}, "features must be null: its two networks share none, those of onnx"),
        ({"files": {}}, "files must name gender.onnx"),
        ({"temperatures": {"gender": 0, "age": 1}}, "temperatures.gender"),
        ({"commercial_use": {"allowed": "perhaps", "reason": "x"}}, "commercial_use.allowed"),
        ({"commercial_use": {"allowed": "yes", "reason": "\x1b[31m"}}, "commercial_use.reason"),
    ],
)
def test_a_wrong_manifest_names_its_field(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        make_onnx_bundle(tmp_path / "a", **changes)
    assert (caught.value.code, named in caught.value.message) == ("bundle_format", True)


def test_which_file_is_which_is_part_of_its_identity(tmp_path: Path) -> None:
    both = network(64, 81), network(32, 81)
    one = make_onnx_bundle(tmp_path / "a", gender=both[0], age=both[1])
    other = make_onnx_bundle(tmp_path / "b", gender=both[1], age=both[0])
    assert one.sha256 != other.sha256


def test_temperatures_are_part_of_how_it_is_read(tmp_path: Path) -> None:
    one = make_onnx_bundle(tmp_path / "a")
    other = make_onnx_bundle(tmp_path / "b", temperatures={"gender": 2.0, "age": 3.0})
    assert one.sha256 == other.sha256
    assert one.reading != other.reading
