"""The detector's weights: `weights/mtcnn`, made from facenet-pytorch's by `python -m worker.import_mtcnn`.

Not a bundle like the classifiers': nothing about it can be chosen. `detector.json` beside the tensors says
whose they are, and which bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import sha256_of
from shared.settings import REPOSITORY
from worker.pipeline.layers import Layer, shapes
from worker.pipeline.tensors import check_tensors, read_tensors, write_tensors

DETECTOR = REPOSITORY / "weights" / "mtcnn"
ABOUT, TENSORS = "detector.json", "detector.safetensors"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Part):
    """Where the weights come from: package, version, address, and sha256 of the files that were read."""

    package: str
    version: str
    source: str
    files: dict[str, str]


class About(_Part):
    """`detector.json`."""

    format: Literal["nightshift-detector/1"] = "nightshift-detector/1"
    name: str
    licence: str
    origin: Origin
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def read_detector(folder: Path, layers: Layer) -> dict[str, NDArray[Any]]:
    """Its tensors, checked: bytes, names, shapes, values.

    Args:
        folder: holds both files.
        layers: that the tensors must be of.

    Raises:
        ModelUnavailable: `detector_unavailable`; it names the file and what is wrong with it.
    """
    path = folder / TENSORS
    try:
        about = read_about(folder)
        if (digest := sha256_of(path)) != about.sha256:
            raise ValueError(f"is not the file that {ABOUT} names: it has sha256 {digest}")
        return check_tensors(read_tensors(path), shapes(layers), "float32")
    except OSError as error:
        said = f"{error.filename or path}: {error.strerror}"
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, said) from error
    except ValueError as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error}") from error


def read_about(folder: Path) -> About:
    """Whose the weights are, and which.

    Raises:
        ModelUnavailable: `detector_unavailable` when `detector.json` is none.
        OSError: it cannot be read.
    """
    path = folder / ABOUT
    text = path.read_bytes()
    try:
        return About.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {place}: {first['msg']}") from error


def write_detector(
    folder: Path, tensors: Mapping[str, NDArray[Any]], name: str, licence: str, origin: Origin
) -> About:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / TENSORS, tensors)
    about = About(name=name, licence=licence, origin=origin, sha256=sha256_of(folder / TENSORS))
    (folder / ABOUT).write_text(json.dumps(about.model_dump(), indent=2) + "\n", encoding="utf-8")
    return about
