"""Convolutions in eight bits: computed as was asked for, on every processor, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import INT8, MANIFEST, Architecture, EightBits, sha256_of
from tests.support.generated_bundle import random_tensors, write_random_bundle
from worker.pipeline import choice
from worker.pipeline.architectures import to_logits
from worker.pipeline.bundle import Bundle, load_bundle
from worker.pipeline.choice import INT8_OFF_BY, choose
from worker.pipeline.graph import as_openvino, with_incoming
from worker.pipeline.int8 import WEIGHT_STEPS, able, from_zero, read_int8, rounded, write_int8
from worker.pipeline.layers import Chain, Convolution, Filled
from worker.pipeline.runtime import Incoming, compiled, openvino_core
from worker.pipeline.tensors import write_tensors

MOBILENET: Architecture = "mobilenet_v1"
FIRST, POINTWISE = "features.conv00", "features.conv02"


def incoming(channels: int, low: float = 0.0, high: float = 6.0, mean: float = 1.0) -> Incoming:
    return Incoming(low, high, np.full(channels, mean, np.float32))


def one_convolution(weight: NDArray[np.float32]) -> Filled:
    outputs, inputs, kernel, _ = weight.shape
    layer = Convolution(inputs, outputs, kernel, padding=kernel // 2)
    bias = np.linspace(-1, 1, outputs, dtype=np.float32)
    return Filled(Chain((("only", layer),)), {"only.weight": weight, "only.bias": bias})


def answers(network: Filled, images: NDArray[np.float32], int8: Mapping[str, Incoming]) -> list[Any]:
    precisions: tuple[Any, Any] = ("fp32", "int8")
    return [
        compiled(network, images.shape, runtime="openvino", precision=fmt, int8=int8)(images).copy()
        for fmt in precisions
    ]


def test_sums_that_sixteen_bits_do_not_hold_are_right() -> None:
    # The greatest inputs by the greatest weights, all of one sign: what AVX2's pairs of products cut off.
    weight = np.full((32, 64, 1, 1), 0.5, np.float32)
    images = np.full((1, 64, 8, 8), 6.0, np.float32)
    full, narrow = answers(one_convolution(weight), images, {"only": incoming(64, mean=6.0)})
    np.testing.assert_allclose(narrow, full, rtol=1e-3)


@pytest.mark.parametrize("kernel", [1, 3])
def test_it_is_near_fp32_and_computed_in_eight_bits(kernel: int) -> None:
    draw = np.random.default_rng(0)
    weight = draw.normal(0, 0.1, (48, 32, kernel, kernel)).astype(np.float32)
    images = draw.uniform(-1, 3, (2, 32, 16, 16)).astype(np.float32)
    low, high = from_zero(-1, 3)
    network, int8 = one_convolution(weight), {"only": incoming(32, low, high)}
    full, narrow = answers(network, images, int8)
    assert 0 < np.abs(full - narrow).max() < 0.1 * full.std()
    model = openvino_core().compile_model(
        as_openvino(network, images.shape, int8), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    ran = {
        (str(node.get_rt_info()["layerType"].astype(str)), node.get_rt_info()["runtimePrecision"].astype(str))
        for node in model.get_runtime_model().get_ordered_ops()
    }
    assert ("Convolution", "u8") in ran


def test_what_rounding_moves_in_the_mean_is_taken_back() -> None:
    weight = np.random.default_rng(1).normal(0, 0.1, (16, 256, 1, 1)).astype(np.float32)
    weight[:, 0] = 2  # coarse steps for the others
    images = np.full((1, 256, 4, 4), 3.0, np.float32)
    full, narrow = answers(one_convolution(weight), images, {"only": incoming(256, mean=3.0)})
    _, without = answers(one_convolution(weight), images, {"only": incoming(256, mean=0.0)})
    assert np.abs(full - narrow).max() < 0.2 * np.abs(full - without).max()


def test_weights_have_seven_bits_and_steps_of_their_own() -> None:
    weight = np.array([[1.0, -0.5], [0.002, 0.001], [0, 0]], np.float32).reshape(3, 2, 1, 1)
    near, end = rounded(weight)
    np.testing.assert_allclose(near[:, :, 0, 0], weight[:, :, 0, 0], atol=0.5 / WEIGHT_STEPS)
    assert np.abs(near[1] - weight[1]).max() <= 0.001 / WEIGHT_STEPS
    np.testing.assert_allclose(end[:2, 0, 0, 0], np.array([1, 0.002]) * 127 / 63, rtol=1e-5)
    assert np.isfinite(near).all() and (near[2] == 0).all()


@pytest.mark.parametrize(("low", "high"), [(-0.278, 9.1), (0.0, 6.0), (0.5, 2.0), (-3.0, -1.0), (0.0, 0.0)])
def test_zero_is_one_of_the_levels(low: float, high: float) -> None:
    start, end = from_zero(low, high)
    step = (end - start) / 255
    assert start <= 0 <= end and step > 0
    assert abs(start / step - round(start / step)) < 1e-6
    assert start <= low + step and end >= high - step


def test_depthwise_and_excitations_stay_in_fp32() -> None:
    assert list(able(MOBILENET)) == [FIRST, *(f"features.conv{n:02}" for n in range(2, 27, 2))]
    efficientnet = able("efficientnet_v2_s")
    assert len(efficientnet) > 60
    assert not any("fc" in name for name in efficientnet)
    assert all(layer.groups == 1 for layer in efficientnet.values())


def test_what_comes_in_is_seen() -> None:
    weight = np.ones((4, 2, 1, 1), np.float32)
    images = np.stack([np.full((8, 8), -1.0), np.full((8, 8), 5.0)])[None].astype(np.float32)
    model = with_incoming(one_convolution(weight), images.shape, ["only"])
    request = openvino_core().compile_model(model, "CPU").create_infer_request()
    request.infer([images])
    low, high, means = (request.get_output_tensor(n).data for n in (1, 2, 3))
    assert (float(low), float(high), means.tolist()) == (-1.0, 5.0, [-1.0, 5.0])


# The file


def tensors(**changes: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    found = {
        f"{POINTWISE}.range": np.array([0, 6], np.float32),
        f"{POINTWISE}.means": np.ones(32, np.float32),
    }
    for name, values in changes.items():
        place = f"{POINTWISE}.{name}"
        found = {key: kept for key, kept in found.items() if key != place}
        if values is not None:
            found[place] = values
    return found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no tensors", "not a safetensors file"),
        ({}, "names no convolution of mobilenet_v1"),
        (tensors(means=None), "missing"),
        (tensors(range=None), "missing"),
        (tensors(means=np.ones(31, np.float32)), "has shape [31], not [32]"),
        (tensors(range=np.array([0, np.inf], np.float32)), "not finite"),
        (tensors(range=np.array([1, 6], np.float32)), "must begin at or below 0"),
        (tensors(range=np.array([-1, 0], np.float32)), "must begin at or below 0"),
        (tensors(means=np.ones(32, np.float16)), "float16"),
        (tensors(weight=np.ones(32, np.float32)), "not of this architecture"),
        ({**tensors(), "features.conv01.range": np.array([0, 6], np.float32)}, "not of this architecture"),
    ],
)
def test_each_wrong_file_is_named(
    content: bytes | dict[str, NDArray[Any]], says: str, tmp_path: Path
) -> None:
    path = tmp_path / INT8
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write_tensors(path, content)
    with pytest.raises(ModelUnavailable) as caught:
        read_int8(path, MOBILENET)
    assert caught.value.code == "bundle_tensors"
    assert caught.value.message.startswith(f"{path}: ") and says in caught.value.message


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_int8(tmp_path / INT8, {POINTWISE: incoming(32, -0.5, 6.25)})
    (name, found), *others = read_int8(tmp_path / INT8, MOBILENET).items()
    assert (name, found.low, found.high, found.means.tolist(), others) == (
        POINTWISE,
        -0.5,
        6.25,
        [1.0] * 32,
        [],
    )


# The bundle


def written(folder: Path, agrees: float = 1.0) -> Path:
    """A bundle with the file, of what really comes in."""
    write_random_bundle(folder, architecture=MOBILENET)
    names = list(able(MOBILENET))
    network = to_logits(MOBILENET, random_tensors(architecture=MOBILENET, dtype="float32"))
    request = openvino_core().compile_model(with_incoming(network, (1, 3, 64, 64), names), "CPU")
    images = np.random.default_rng(0).normal(0, 1.2, (1, 3, 64, 64)).astype(np.float32)
    _, *seen = (value.copy() for value in request([images]).values())
    found = {
        name: Incoming(*from_zero(float(low), float(high)), means)
        for name, low, high, means in zip(names, seen[0::3], seen[1::3], seen[2::3], strict=True)
    }
    write_int8(folder / INT8, found)
    told = {"sha256": sha256_of(folder / INT8), "gender": 1.0, "age_group": agrees}
    edit(folder, lambda manifest: manifest.update(int8=told))
    return folder


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_bundle(written(tmp_path / "mine"))


def refused(folder: Path) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_bundle(folder)
    return caught.value


def test_a_bundle_with_it_is_the_same_bundle(tmp_path: Path) -> None:
    plain = write_random_bundle(tmp_path / "plain", architecture=MOBILENET)
    found = load_bundle(written(tmp_path / "mine"))
    assert (found.manifest.sha256, found.manifest.reading) == (plain.sha256, plain.reading)
    assert found.int8 and len(found.int8) == 14


def test_other_bytes_no_file_and_no_such_layers_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "mine")
    whole = (folder / INT8).read_bytes()
    (folder / INT8).write_bytes(whole[:-1] + b"\x00")
    assert refused(folder).code == "bundle_sha256"
    (folder / INT8).unlink()
    error = refused(folder)
    assert error.code == "bundle_not_found" and INT8 in error.message
    (folder / INT8).write_bytes(whole)
    edit(folder, lambda m: m["int8"].update(gender=1.2))
    assert refused(folder).code == "bundle_format"
    edit(folder, lambda m: m.pop("int8"))
    assert load_bundle(folder).int8 is None


def test_onnx_has_none(tmp_path: Path) -> None:
    folder = written(tmp_path / "mine")
    files = {"gender.onnx": {"sha256": "0" * 64, "dtype": "float32"}}
    files["age.onnx"] = files["gender.onnx"]
    edit(folder, lambda m: m.update(architecture="onnx", features=None, files=files))
    error = refused(folder)
    assert error.code == "bundle_format" and "int8" in error.message


# The choice


def trial(precision: str, ms_a_face: float, answer: float = 0.5) -> Any:
    classifier = SimpleNamespace(runtime="openvino", precision=precision)
    return choice._Trial(classifier, ms_a_face, np.array([answer, 1 - answer], np.float32))  # type: ignore[arg-type]


def test_set_it_is_used_and_its_answers_are_near(bundle: Bundle) -> None:
    crops = np.random.default_rng(3).integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    narrow, chosen = choose(bundle, "auto", "int8")
    full, _ = choose(bundle, "auto", "fp32")
    assert (chosen.runtime, chosen.precision) == ("openvino", "int8")
    one, other = np.concatenate(full(crops), axis=1), np.concatenate(narrow(crops), axis=1)
    assert 0 < np.abs(one - other).max() < 0.1


def test_auto_tries_it_where_labels_agree(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "native_precision", lambda _: None)
    monkeypatch.setattr(choice, "_try", lambda c: trial(c.precision, 10 if c.precision == "fp32" else 5))
    assert choose(bundle)[1].precision == "int8"
    told = EightBits(sha256="0" * 64, gender=1, age_group=0.99)
    poor = replace(bundle, manifest=bundle.manifest.model_copy(update={"int8": told}))
    monkeypatch.setattr(choice, "_try", pytest.fail)
    assert choose(poor)[1].precision == "fp32"


@pytest.mark.parametrize(
    ("other", "best"),
    [
        (trial("int8", 5, 0.6), "int8"),
        (trial("int8", 5, 0.5 + 2 * INT8_OFF_BY), "fp32"),
        (trial("int8", 5, float("nan")), "fp32"),
        (trial("int8", 9.5), "fp32"),
    ],
)
def test_it_must_run_right_and_pay(other: Any, best: str) -> None:
    assert choice._best([trial("fp32", 10), other]).classifier.precision == best


def test_asked_for_and_not_to_be_had_is_said(bundle: Bundle) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        choose(replace(bundle, int8=None), "auto", "int8")
    assert caught.value.code == "runtime_unavailable"
    assert bundle.manifest.name in caught.value.message and "training.quantise" in caught.value.message


def test_torch_does_not_compute_in_it(bundle: Bundle) -> None:
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    with pytest.raises(ModelUnavailable) as caught:
        choose(bundle, "torch", "int8")
    assert caught.value.code == "runtime_unavailable" and "torch" in caught.value.message
    assert choose(bundle, "torch")[1].precision == "fp32"
