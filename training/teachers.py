"""What other networks say of the chips: extra targets, which a small data set is short of."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nightshift.words.errors import InvalidInput
from training.chips import Chip
from training.error_codes import TrainingCode

DESCRIPTOR = 128
TEACHER_AGES = 81
_SHAPES = {"descriptor": DESCRIPTOR, "age": TEACHER_AGES, "gender": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Teachers:
    """Outputs of dlib's networks, a row a chip.

    Attributes:
        descriptor: float32 [N, 128], dlib's face descriptor.
        age: float32 [N, 81], a distribution over the years 0-80; the last stands for 80 and over.
        gender: float32 [N, 2], probabilities of male and female, as GENDERS has them.
    """

    descriptor: NDArray[np.float32]
    age: NDArray[np.float32]
    gender: NDArray[np.float32]


def read_teachers(path: Path, chips: Sequence[Chip]) -> Teachers:
    """Read the outputs for these chips, in their order.

    Args:
        path: an npz with `names` and, for each name, `descriptor` [128], `age` [81] and `gender` [2]
            (female, male).
        chips: whose rows to take.

    Raises:
        InvalidInput: `teachers_unreadable`, `teachers_format`, or `teachers_missing` with the first chip
            that has no row.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("names", *_SHAPES)}
    except KeyError as error:
        raise InvalidInput(TrainingCode.TEACHERS_FORMAT, f"{path}: {error.args[0]}") from error
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInput(TrainingCode.TEACHERS_UNREADABLE, f"{path}: {error}") from error
    names = arrays.pop("names")
    for name, array in arrays.items():
        if array.shape != (len(names), _SHAPES[name]):
            raise InvalidInput(
                TrainingCode.TEACHERS_FORMAT,
                f"{path}: {name} has shape {array.shape}, not {len(names), _SHAPES[name]}",
            )
    row_of = {str(name): row for row, name in enumerate(names)}
    absent = [chip.name for chip in chips if chip.name not in row_of]
    if absent:
        raise InvalidInput(
            TrainingCode.TEACHERS_MISSING, f"{path} has no row for {len(absent)} chips, as {absent[0]}"
        )
    rows = [row_of[chip.name] for chip in chips]
    descriptor, age, gender = (arrays[name][rows].astype(np.float32) for name in _SHAPES)
    if not all(np.isfinite(values).all() for values in (descriptor, age, gender)):
        raise InvalidInput(TrainingCode.TEACHERS_FORMAT, f"{path}: values that are not finite")
    return Teachers(descriptor, age / age.sum(axis=1, keepdims=True), np.ascontiguousarray(gender[:, ::-1]))
