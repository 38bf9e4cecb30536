"""The detector's tensors, read and written; `python -m worker.import_mtcnn` makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.detector import ABOUT, TENSORS, About, Origin, verify_detector
from shared.bundles.manifest import sha256_of
from worker.pipeline.layers import Layer, shapes
from worker.pipeline.tensors import check_tensors, read_tensors, write_tensors


def read_detector(folder: Path, layers: Layer) -> dict[str, NDArray[Any]]:
    """Its tensors, checked: bytes, names, shapes, values.

    Args:
        folder: holds both files.
        layers: that the tensors must be of.

    Raises:
        ModelUnavailable: `detector_unavailable`; it names the file and what is wrong with it.
    """
    path = folder / TENSORS
    verify_detector(folder)
    try:
        return check_tensors(read_tensors(path), shapes(layers), "float32")
    except OSError as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error}") from error


def write_detector(
    folder: Path, tensors: Mapping[str, NDArray[Any]], name: str, licence: str, origin: Origin
) -> About:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / TENSORS, tensors)
    about = About(name=name, licence=licence, origin=origin, sha256=sha256_of(folder / TENSORS))
    (folder / ABOUT).write_text(json.dumps(about.model_dump(), indent=2) + "\n", encoding="utf-8")
    return about
