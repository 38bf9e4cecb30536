"""An archive in the form of UTKFace's, of one freely licensed face: tinted by its label, to be learned."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import samples

CHIP_BOX = (172.0, 69.5, 278.9, 176.4)
"""The square of the 512 px portrait that shows its face as a chip does, by hand and by MTCNN."""


def name_of(number: int) -> str:
    """A file name with labels that follow from the number."""
    return f"{number * 7 % 90}_{number % 2}_{number % 5}_{20170101000000000 + number}.jpg.chip.jpg"


def write_chips(path: Path, count: int) -> Path:
    """Write `count` chips: females are reddish, the older the darker."""
    face = np.asarray(samples.astronaut().resize((200, 200), Image.Resampling.BICUBIC, box=CHIP_BOX), float)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            name = name_of(number)
            age, gender = (int(part) for part in name.split("_")[:2])
            tint = np.array([1.0, 0.8, 0.7]) if gender else np.array([0.7, 0.8, 1.0])
            pixels = np.clip(face * tint * (1.1 - age / 150), 0, 255).astype(np.uint8)
            data = io.BytesIO()
            Image.fromarray(pixels).save(data, "JPEG", quality=90)
            archive.writestr(f"chips/{name}", data.getvalue())
    return path


def write_some(source: Path, path: Path, count: int) -> Path:
    """Write every n-th member of an archive of chips, `count` in all."""
    with zipfile.ZipFile(source) as chips, zipfile.ZipFile(path, "w") as archive:
        members = [member for member in chips.namelist() if member.endswith(".jpg")]
        for member in members[:: max(1, len(members) // count)][:count]:
            archive.writestr(member, chips.read(member))
    return path
