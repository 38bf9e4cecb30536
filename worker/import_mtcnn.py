"""Command: the weights of MTCNN that facenet-pytorch ships become the detector's.

    python -m worker.import_mtcnn --out weights/mtcnn

Needs torch and facenet-pytorch, which no worker does afterwards. The same files give the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import facenet_pytorch
import numpy as np
import torch
from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from shared.bundles.detector import DETECTOR, Origin
from shared.bundles.manifest import sha256_of
from worker.pipeline.detection.mtcnn import ALL
from worker.pipeline.detection.weights import read_detector, write_detector

PACKAGE = "facenet-pytorch"
LICENCE = "MIT, Copyright (c) 2019 Timothy Esler: see LICENSE.md"
_DATA = Path(facenet_pytorch.__file__).parent / "data"
_FILES = {"propose": "pnet.pt", "refine": "rnet.pt", "output": "onet.pt"}
_HEADS = {
    "propose": ("conv4_1", "conv4_2"),
    "refine": ("dense5_1", "dense5_2"),
    "output": ("dense6_1", "dense6_2", "dense6_3"),
}
_READING_PLANES = {"refine.dense4": 64, "output.dense5": 128}
"""Layers whose weights were trained on [W, H, C], and how many channels that is."""

Tensors = dict[str, NDArray[Any]]


def detector_tensors(data: Path = _DATA) -> Tensors:
    """The tensors of all three networks, by the names that the detector's layers have.

    Args:
        data: folder of facenet-pytorch's files.

    Raises:
        InvalidInput: `checkpoint_unreadable` or `checkpoint_not_tensors`.
    """
    found: Tensors = {}
    for name, file in _FILES.items():
        network = _read(data / file)
        head = _joined(
            *({part: network.pop(f"{layer}.{part}") for part in ("weight", "bias")} for layer in _HEADS[name])
        )
        found |= {f"{name}.{key}": values for key, values in {**network, **head}.items()}
    for name, channels in _READING_PLANES.items():
        found[f"{name}.weight"] = _reading_planes(found[f"{name}.weight"], channels)
    return found


def _joined(classes: Tensors, *others: Tensors) -> Tensors:
    """One layer for the logits' difference and all other outputs."""
    joined = {}
    for part in ("weight", "bias"):
        no, yes = classes[part]
        joined[f"head.{part}"] = np.concatenate([(yes - no)[None], *(other[part] for other in others)])
    return joined


def _reading_planes(weight: NDArray[Any], channels: int) -> NDArray[Any]:
    """Weights of a layer that reads [C, H, W]."""
    side = round((weight.shape[1] / channels) ** 0.5)
    planes = weight.reshape(-1, side, side, channels).transpose(0, 3, 2, 1)
    return np.ascontiguousarray(planes.reshape(len(weight), -1))


def _read(path: Path) -> Tensors:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.numpy() for name, tensor in loaded.items()}
    except OSError as error:
        raise InvalidInput(Code.CHECKPOINT_UNREADABLE, f"{path}: {error.strerror or error}") from error
    except Exception as error:
        # The unpickler refuses classes, damaged archives raise what they like.
        raise InvalidInput(Code.CHECKPOINT_NOT_TENSORS, f"{path}: {str(error).splitlines()[0]}") from error


def import_mtcnn(out: Path) -> str:
    """Write the detector and check it by loading it.

    Returns:
        One line that says what was written.

    Raises:
        InvalidInput: facenet-pytorch's files are not what they should be.
        ModelUnavailable: the detector would not load.
    """
    package = distribution(PACKAGE)
    origin = Origin(
        package=PACKAGE,
        version=package.version,
        source="https://github.com/timesler/facenet-pytorch",
        files={f"data/{file}": sha256_of(_DATA / file) for file in _FILES.values()},
    )
    about = write_detector(out, detector_tensors(), "mtcnn", LICENCE, origin)
    licence = next(file for file in package.files or () if file.name.startswith("LICENSE"))
    shutil.copyfile(Path(str(licence.locate())), out / "LICENSE.md")
    read_detector(out, ALL)
    return f"{out}: detector {about.name}, sha256 {about.sha256}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 when the detector is written, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.import_mtcnn", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--out", type=Path, default=DETECTOR, help="folder of the detector (default weights/mtcnn)"
    )
    try:
        print(import_mtcnn(parser.parse_args(argv).out))  # noqa: T201
    except NightshiftError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
