"""The detector's weights as files: `weights/mtcnn`, whose they are and which bytes.

Not a bundle like the classifiers': nothing about it can be chosen. `python -m worker.import_mtcnn` writes
`detector.json` beside the tensors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from nightshift.words.wrong_values import SHA256_HEX, wrong
from shared.bundles.manifest import sha256_of
from shared.settings import REPOSITORY

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
    sha256: str = Field(pattern=SHA256_HEX)


def read_about(folder: Path) -> About:
    """Whose the weights are, and which.

    Raises:
        ModelUnavailable: `detector_unavailable` when `detector.json` cannot be read, or is none.
    """
    path = folder / ABOUT
    try:
        return About.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {place}: {wrong(first)}") from error


def verify_detector(folder: Path | None = None) -> About:
    """Make sure that the weights are those that `detector.json` names, before anything is begun with them.

    Args:
        folder: holds both files; by default the detector's own.

    Raises:
        ModelUnavailable: `detector_unavailable`; it names the file and what is wrong with it.
    """
    folder = DETECTOR if folder is None else folder
    about = read_about(folder)
    path = folder / TENSORS
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelUnavailable(Code.DETECTOR_UNAVAILABLE, f"{path}: {error.strerror}") from error
    if digest != about.sha256:
        raise ModelUnavailable(
            Code.DETECTOR_UNAVAILABLE, f"{path}: is not the file that {ABOUT} names: it has sha256 {digest}"
        )
    return about
