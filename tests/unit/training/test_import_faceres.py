"""Published weights become a bundle that sees what the published network saw."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tests.support.needs_torch import Tensor, nn, torch
from training import import_faceres
from training.augment import MEAN, STD
from training.import_faceres import GRAPH, SHA256, WEIGHTS
from worker.pipeline.architectures import classifier_shapes, mobilenet_convolutions
from worker.pipeline.bundle import load_bundle
from worker.pipeline.layers import shapes

Arrays = dict[str, NDArray[np.float32]]
NAMES = ["conv1", *(f"conv_{kind}_{number}" for number in range(1, 14) for kind in ("dw", "pw"))]
MEAN_RGB = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Random numbers in the published layout: TensorFlow's, normalisations beside depthwise kernels."""
    random = np.random.default_rng(0)
    made: dict[str, NDArray[np.floating]] = {}
    for name, layer in zip(NAMES, mobilenet_convolutions(), strict=True):
        shape = shapes(layer)["weight"]
        outputs, inputs, height, width = shape
        kernel = random.normal(size=shape) * (2 / (inputs * height * width)) ** 0.5
        if name == "conv1":
            kernel /= 60
        if "_dw_" in name:
            made[f"{name}/depthwise_kernel"] = kernel.transpose(2, 3, 0, 1)
            made[f"{name}_bn/batchnorm_1/mul"] = random.uniform(0.7, 1.4, outputs)
        else:
            made[f"{name}/convolution/merged_input"] = kernel.transpose(2, 3, 1, 0)
        made[f"{name}_bn/batchnorm_1/sub"] = random.uniform(-0.2, 0.2, outputs)
    for name, shape in (("feats", (1024, 256)), ("gender_pred", (256, 1)), ("age_pred", (256, 100))):
        made[f"{name}/kernel"] = random.normal(size=shape) * 0.05
        made[f"{name}/bias"] = random.normal(size=shape[1:]) * 0.05
    return {name: np.ascontiguousarray(values, np.float32) for name, values in made.items()}


@pytest.fixture
def published(arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    weights = [
        {"name": name, "shape": list(values.shape), "dtype": "float32"} for name, values in arrays.items()
    ]
    graph = {"weightsManifest": [{"paths": [WEIGHTS], "weights": weights}]}
    (folder / GRAPH).write_text(json.dumps(graph), encoding="utf-8")
    (folder / WEIGHTS).write_bytes(b"".join(values.tobytes() for values in arrays.values()))
    for name in SHA256:
        monkeypatch.setitem(SHA256, name, hashlib.sha256((folder / name).read_bytes()).hexdigest())
    return folder


def as_published(arrays: Arrays, rgb: Tensor) -> Tensor:
    """Pooled features of the published graph, step by step, for RGB 0-255."""
    x = (rgb - MEAN_RGB).flip(1)
    for name, layer in zip(NAMES, mobilenet_convolutions(), strict=True):
        depthwise = "_dw_" in name
        kernel = torch.tensor(
            arrays[f"{name}/depthwise_kernel" if depthwise else f"{name}/convolution/merged_input"]
        )
        kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
        if kernel.shape[-1] == 3:
            x = nn.functional.pad(x, (0, 1, 0, 1) if layer.stride == 2 else (1, 1, 1, 1))
        x = nn.functional.conv2d(x, kernel, stride=layer.stride, groups=layer.groups)
        if depthwise:
            x = x * torch.tensor(arrays[f"{name}_bn/batchnorm_1/mul"]).view(1, -1, 1, 1)
        x = (x + torch.tensor(arrays[f"{name}_bn/batchnorm_1/sub"]).view(1, -1, 1, 1)).clamp(0, 6)
    return x.mean(dim=(2, 3))


def test_the_imported_network_sees_what_the_published_one_does(
    arrays: Arrays, published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_faceres.main(["--published", str(published), "--out", str(tmp_path / "start")]) == 0
    assert "bundle start, sha256" in capsys.readouterr().out
    bundle = load_bundle(tmp_path / "start")
    assert (bundle.manifest.architecture, bundle.manifest.input.size) == ("mobilenet_v1", 224)
    assert "VGGFace2" in bundle.manifest.licence
    torch.manual_seed(0)
    rgb = torch.rand(2, 3, 224, 224) * 255
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) * 255 for values in (MEAN, STD))
    features, gender, age = bundle.network((rgb - mean) / std)
    expected = as_published(arrays, rgb)
    assert expected.std() > 0.05
    # In half precision, and what lies beyond the border is black by half a step less of 255.
    torch.testing.assert_close(features, expected, atol=0.03, rtol=0.03)
    assert not gender.any() and not age.any()


def test_other_files_than_those_published_are_refused(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (published / WEIGHTS).read_bytes()
    (published / WEIGHTS).write_bytes(data[:-4])
    assert import_faceres.main(["--published", str(published), "--out", str(tmp_path / "start")]) == 2
    assert "weights_sha256" in capsys.readouterr().err
    (published / WEIGHTS).unlink()
    assert import_faceres.main(["--published", str(published), "--out", str(tmp_path / "start")]) == 2
    assert "weights_not_found" in capsys.readouterr().err
    assert not (tmp_path / "start").exists()


def write_folded(folder: Path) -> tuple[list[dict[str, object]], dict[str, Tensor]]:
    folder.mkdir()
    layers = [
        import_faceres.described(number, layer) for number, layer in enumerate(mobilenet_convolutions())
    ]
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name.removeprefix("features."): torch.randn(shape, generator=generator).half() / 30
        for name, shape in classifier_shapes("mobilenet_v1", 101).items()
    }
    (folder / "layers.json").write_text(json.dumps({"layers": layers}), encoding="utf-8")
    save_file({name: tensor.numpy() for name, tensor in tensors.items()}, folder / "model.safetensors")
    return layers, tensors


def test_folded_weights_keep_their_heads(tmp_path: Path) -> None:
    _, tensors = write_folded(tmp_path / "folded")
    out = tmp_path / "start"
    assert (
        import_faceres.main(["--folded", str(tmp_path / "folded"), "--out", str(out), "--side", "160"]) == 0
    )
    bundle = load_bundle(out)
    assert bundle.manifest.input.size == 160
    assert "VGGFace2" in bundle.manifest.licence and "UTKFace" in bundle.manifest.licence
    assert torch.equal(bundle.network.age.weight, tensors["age.weight"].float())


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("a layer's stride", "weights_layers"),
        ("a layer less", "weights_layers"),
        ("a tensor's shape", "weights_layers"),
        ("a tensor less", "weights_layers"),
        ("a description that is none", "weights_unreadable"),
        ("a file cut off", "weights_unreadable"),
        ("no description", "weights_not_found"),
    ],
)
def test_folded_weights_of_another_form_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str, code: str
) -> None:
    folder = tmp_path / "folded"
    layers, tensors = write_folded(folder)
    match damage:
        case "a layer's stride":
            layers[3]["stride"] = 1
        case "a layer less":
            layers.pop()
        case "a tensor's shape":
            tensors["age.weight"] = torch.zeros(100, 1024)
        case "a tensor less":
            del tensors["conv26.bias"]
    (folder / "layers.json").write_text(json.dumps({"layers": layers}), encoding="utf-8")
    save_file({name: tensor.numpy() for name, tensor in tensors.items()}, folder / "model.safetensors")
    if damage == "a description that is none":
        (folder / "layers.json").write_text("[1]", encoding="utf-8")
    elif damage == "a file cut off":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1000])
    elif damage == "no description":
        (folder / "layers.json").unlink()
    assert import_faceres.main(["--folded", str(folder), "--out", str(tmp_path / "start")]) == 2
    assert code in capsys.readouterr().err
    assert not (tmp_path / "start").exists()
