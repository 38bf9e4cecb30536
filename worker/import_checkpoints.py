"""Command: the original model's four checkpoints become one bundle.

    python -m worker.import_checkpoints --features feature_extractorGender.pth --gender gender.pth \
        --age-male age_male.pth --age-female age_female.pth --out weights/original

The original model is EfficientNetV2-S at 384 px, a gender head and one age head for each gender, each
`Sequential(Dropout, Linear)`. Its age heads know seven groups, from 5-9 up. The bundle's age head is
one linear layer of two times eight groups; group 0-4 gets zero weights and a bias so low that its
probability is exactly zero, so no face is ever put there.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.manifest import FEATURES, FORMAT, Architecture
from worker.pipeline.architectures import features_of
from worker.pipeline.bundle import write_bundle
from worker.pipeline.framing import UTKFACE
from worker.pipeline.layers import shapes

NEVER = -1e4
"""Logit of a group that the original model does not know: finite in fp16, and exp() of it is 0 in fp32."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LICENCE = "as the imported checkpoints; trained on UTKFace: non-commercial research only"
ARCHITECTURE: Architecture = "efficientnet_v2_s"
KNOWN_GROUPS = len(AGE_GROUPS) - 1
_WIDTH = FEATURES[ARCHITECTURE]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """A checkpoint's tensors by name, without running anything that the file says.

    Raises:
        InvalidInput: `checkpoint_unreadable`, or `checkpoint_not_tensors` for a whole pickled module
            or anything else that is not a mapping of names to tensors.
    """
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InvalidInput(Code.CHECKPOINT_UNREADABLE, f"{path}: {error.strerror or error}") from error
    except Exception as error:
        # The unpickler refuses classes, damaged archives raise what they like.
        said = f"not a state dict (save module.state_dict(), not the module): {_first_line(error)}"
        raise InvalidInput(Code.CHECKPOINT_NOT_TENSORS, f"{path}: {said}") from error
    if not isinstance(loaded, Mapping) or not loaded:
        said = f"holds a {type(loaded).__name__}, not a state dict"
        raise InvalidInput(Code.CHECKPOINT_NOT_TENSORS, f"{path}: {said}")
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            said = f"entry {name!r} is a {type(tensor).__name__}, not a tensor"
            raise InvalidInput(Code.CHECKPOINT_NOT_TENSORS, f"{path}: {said}")
    return dict(loaded)


def feature_tensors(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`features.*` tensors of the bundle, from a state dict under any prefix.

    Tells the prefix (`features.`, `0.`, `module.features.`, none) by the stem convolution's name.

    Raises:
        InvalidInput: `checkpoint_shape`, naming the first tensor that is missing or of another shape.
    """
    expected = shapes(features_of(ARCHITECTURE), "features.")
    stem = next(iter(expected)).removeprefix("features.")
    # The shortest that fits: without a wrapper the stem is `0.0.weight`, and deeper names end so too.
    prefixes = sorted((name.removesuffix(stem) for name in checkpoint if name.endswith(stem)), key=len)
    fitting = [p for p in prefixes if all(_under(p, name) in checkpoint for name in expected)]
    if not fitting:
        prefix = next((p for p in prefixes if p == "" or p.endswith(".")), "")
        missing = next(name for name in expected if _under(prefix, name) not in checkpoint)
        raise _misshapen("features", f"no {_under(prefix, missing)}; not an EfficientNetV2-S `features`")
    prefix = fitting[0]
    tensors = {name: checkpoint[_under(prefix, name)] for name in expected}
    for name, tensor in tensors.items():
        if tensor.shape != expected[name]:
            said = f"{list(tensor.shape)}, not {list(expected[name])}"
            raise _misshapen("features", f"{_under(prefix, name)} is {said}")
    return tensors


def linear_head(checkpoint: Mapping[str, Tensor], outputs: int, what: str) -> tuple[Tensor, Tensor]:
    """Weight [outputs, 1280] and bias [outputs] of the one linear layer in a head's state dict.

    Raises:
        InvalidInput: `checkpoint_shape` when there is not exactly one such layer.
    """
    weights = [name for name in checkpoint if re.search(r"(^|\.)weight$", name)]
    biases = [name for name in checkpoint if re.search(r"(^|\.)bias$", name)]
    if len(weights) != 1 or len(biases) != 1 or len(checkpoint) != 2:
        raise _misshapen(what, f"not one linear layer but {', '.join(sorted(checkpoint))}")
    weight, bias = checkpoint[weights[0]], checkpoint[biases[0]]
    if weight.shape != (outputs, _WIDTH) or bias.shape != (outputs,):
        said = f"weight {list(weight.shape)} and bias {list(bias.shape)}"
        raise _misshapen(what, f"{said}, not [{outputs}, {_WIDTH}] and [{outputs}]")
    return weight.float(), bias.float()


def age_head(by_class: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """One age head from one of seven groups for each gender, in the order of the gender classes.

    Returns:
        Weight [16, 1280] and bias [16]; rows 0 and 8 are the group 0-4 that is never chosen.
    """
    weights, biases = [], []
    for weight, bias in by_class:
        weights += [torch.zeros(1, _WIDTH), weight]
        biases += [torch.full((1,), NEVER), bias]
    return torch.cat(weights), torch.cat(biases)


def manifest_of(name: str, input_size: int, classes: Sequence[str], licence: str) -> dict[str, Any]:
    """The manifest, without its files."""
    return {
        "format": FORMAT,
        "name": name,
        "architecture": ARCHITECTURE,
        "features": _WIDTH,
        "input": {"size": input_size, "mean": IMAGENET_MEAN, "std": IMAGENET_STD},
        "heads": {
            "gender": {"classes": list(classes)},
            "age": {
                "kind": "groups",
                "by_gender": True,
                "groups": [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS],
                "comment": "The original model knows no group 0-4: its weights are zero and its bias is "
                f"{NEVER:g}, so that its probability is exactly 0.",
            },
        },
        "framing": UTKFACE.model_dump(),
        "licence": licence,
        "commercial_use": {"allowed": "no", "reason": LICENCE}
        if licence == LICENCE
        else {"allowed": "unknown", "reason": "not said when the checkpoints were imported"},
    }


def import_checkpoints(arguments: argparse.Namespace) -> str:
    """Write the bundle and check it by loading it.

    Returns:
        One line that says what was written.

    Raises:
        InvalidInput: a checkpoint is not what it should be.
        ModelUnavailable: the bundle would not load.
    """
    classes = arguments.gender_classes.split(",")
    if sorted(classes) != ["female", "male"]:
        raise InvalidInput(Code.BAD_GENDER_CLASSES, "--gender-classes must be male,female or female,male")
    ages = {
        gender: linear_head(read_checkpoint(path), KNOWN_GROUPS, f"age-{gender}")
        for gender, path in (("male", arguments.age_male), ("female", arguments.age_female))
    }
    gender_weight, gender_bias = linear_head(read_checkpoint(arguments.gender), 2, "gender")
    age_weight, age_bias = age_head([ages[name] for name in classes])
    tensors = {
        **{
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in feature_tensors(read_checkpoint(arguments.features)).items()
        },
        "gender.weight": gender_weight,
        "gender.bias": gender_bias,
        "age.weight": age_weight,
        "age.bias": age_bias,
    }
    manifest = write_bundle(
        arguments.out,
        manifest_of(arguments.name, arguments.input_size, classes, arguments.licence),
        {name: tensor.numpy() for name, tensor in tensors.items()},
    )
    return f"{arguments.out}: bundle {manifest.name}, sha256 {manifest.sha256}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 when the bundle is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.import_checkpoints", description=__doc__.splitlines()[0]
    )
    for flag, help_ in (
        ("--features", "state dict of the EfficientNetV2-S features"),
        ("--gender", "state dict of the gender head"),
        ("--age-male", "state dict of the age head for men"),
        ("--age-female", "state dict of the age head for women"),
        ("--out", "folder of the bundle, made when missing"),
    ):
        parser.add_argument(flag, type=Path, required=True, help=help_)
    parser.add_argument("--input-size", type=int, default=384, help="side of the crops, pixels (default 384)")
    parser.add_argument("--name", default="original", help="name in the manifest (default original)")
    parser.add_argument(
        "--gender-classes",
        default="male,female",
        help="order of the gender head's outputs (default male,female)",
    )
    parser.add_argument(
        "--licence",
        default=LICENCE,
        help="licence in the manifest",
    )
    try:
        print(import_checkpoints(parser.parse_args(argv)))  # noqa: T201
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _misshapen(what: str, said: str) -> InvalidInput:
    return InvalidInput(Code.CHECKPOINT_SHAPE, f"{what}: {said}")


def _under(prefix: str, name: str) -> str:
    return prefix + name.removeprefix("features.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:160] or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
