"""Where the photos and chips lie that are not part of the repository, and tests that need them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.settings import REPOSITORY
from tests.support.requirements import OPTIONAL

BESIDE = REPOSITORY.parent / "shared"
PHOTOS = BESIDE / "photos"
CHIPS = BESIDE / "utkface" / "utkface_chips.zip"
TEACHERS = BESIDE / "utkface" / "teachers.npz"
SHIPPED_BUNDLE = REPOSITORY / "weights" / "utkface-v2s"

needs_photos = pytest.mark.skipif(
    not PHOTOS.is_dir(), reason=OPTIONAL + "the folder of reference photos is not there"
)
needs_chips = pytest.mark.skipif(
    not CHIPS.is_file(), reason=OPTIONAL + "the archive of UTKFace chips is not there"
)
needs_shipped_bundle = pytest.mark.skipif(
    not (SHIPPED_BUNDLE / "model.safetensors").is_file(), reason="the weights utkface-v2s are not there"
)


def photo(name: str) -> bytes:
    """Bytes of one of the reference photos."""
    return (PHOTOS / name).read_bytes()


def validation_chips(count: int, seed: int) -> list[tuple[bool, NDArray[np.uint8]]]:
    """A fixed choice of validation chips: whether it is labelled female, and uint8 [200, 200, 3]."""
    with zipfile.ZipFile(CHIPS) as archive:
        names = sorted(
            name for name in archive.namelist() if name.startswith("val/") and name.endswith(".jpg")
        )
        chosen = np.random.default_rng(seed).choice(len(names), count, replace=False)
        return [
            (
                Path(names[index]).name.split("_")[1] == "1",
                np.asarray(Image.open(io.BytesIO(archive.read(names[index]))).convert("RGB")),
            )
            for index in chosen
        ]
