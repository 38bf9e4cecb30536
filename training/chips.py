"""UTKFace's aligned and cropped chips: labels from file names, and a split that never changes."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from nightshift.words.errors import InvalidInput
from training.error_codes import TrainingCode

Part = Literal["train", "validation", "test"]

GENDERS = ("male", "female")
"""By UTKFace's codes 0 and 1, and the order of the gender head's outputs."""

RACES = ("White", "Black", "Asian", "Indian", "Other")
"""The data set's own words for its codes 0 to 4."""

MAX_AGE = 116
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_.+\.jpg")
_HELD_BACK, _VALIDATION, _PARTS = 2, 3, 20
_MAX_CHIP_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Chip:
    """One face of the archive.

    Attributes:
        member: its path in the archive.
        age: years, 0-116.
        gender: index into GENDERS.
        race: index into RACES.
    """

    member: str
    age: int
    gender: int
    race: int

    @property
    def name(self) -> str:
        """File name without folders."""
        return PurePosixPath(self.member).name

    @property
    def part(self) -> Part:
        """Which part of the data it is in."""
        return part_of(self.name)


def part_of(name: str) -> Part:
    """The part that a file name falls into: `int(sha1(name), 16) % 20`; 0 and 1 test, 2 validation.

    A face keeps its part when files are added or removed, and on every machine.
    """
    remainder = int(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest(), 16) % _PARTS
    if remainder < _HELD_BACK:
        return "test"
    return "validation" if remainder < _VALIDATION else "train"


class ChipArchive:
    """A zip of chips, in folders of any name. Reads lazily, so that it can be sent to another process.

    Args:
        path: the zip.

    Attributes:
        chips: every chip, ordered by name.

    Raises:
        InvalidInput: `chips_not_found`, `chips_not_zip`, or `chips_empty` when no file has a chip's name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip: zipfile.ZipFile | None = None
        if not path.is_file():
            raise InvalidInput(TrainingCode.CHIPS_NOT_FOUND, f"no archive of chips at {path}")
        try:
            with zipfile.ZipFile(path) as archive:
                found = [_chip(member) for member in archive.namelist()]
        except zipfile.BadZipFile as error:
            raise InvalidInput(TrainingCode.CHIPS_NOT_ZIP, f"{path} is not a zip: {error}") from error
        self.chips = tuple(sorted((chip for chip in found if chip), key=lambda chip: chip.name))
        if not self.chips:
            raise InvalidInput(
                TrainingCode.CHIPS_EMPTY,
                f"{path} holds no file named like 25_1_2_20170116174525125.jpg.chip.jpg",
            )

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_zip": None}

    def part(self, part: Part) -> tuple[Chip, ...]:
        """The chips of one part, ordered by name.

        Raises:
            InvalidInput: `chips_part_empty`.
        """
        chosen = tuple(chip for chip in self.chips if chip.part == part)
        if not chosen:
            raise InvalidInput(
                TrainingCode.CHIPS_PART_EMPTY, f"{self._path} holds no chip of the {part} part"
            )
        return chosen

    def pixels(self, chip: Chip) -> NDArray[np.uint8]:
        """A chip's pixels, uint8 [H, W, 3], RGB.

        Raises:
            InvalidInput: `chip_unreadable`, naming the chip.
        """
        if self._zip is None:
            self._zip = zipfile.ZipFile(self._path)
        try:
            if self._zip.getinfo(chip.member).file_size > _MAX_CHIP_BYTES:
                raise InvalidInput(
                    TrainingCode.CHIP_UNREADABLE, f"{chip.member} is larger than a chip can be"
                )
            with Image.open(io.BytesIO(self._zip.read(chip.member)), formats=["JPEG"]) as image:
                return np.asarray(image.convert("RGB"))
        except (OSError, UnidentifiedImageError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
            raise InvalidInput(TrainingCode.CHIP_UNREADABLE, f"{chip.member}: {error}") from error


def sample(chips: Sequence[Chip], count: int | None, seed: int) -> tuple[Chip, ...]:
    """At most `count` chips, drawn without replacement, in their order; all of them for None."""
    if count is None or count >= len(chips):
        return tuple(chips)
    chosen = np.random.default_rng(seed).choice(len(chips), count, replace=False)
    return tuple(chips[index] for index in sorted(chosen))


def _chip(member: str) -> Chip | None:
    found = _NAME.fullmatch(PurePosixPath(member).name)
    if not found or int(found[1]) > MAX_AGE:
        return None
    return Chip(member, int(found[1]), int(found[2]), int(found[3]))
