"""Weights that training can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightshift.words.errors import InvalidInput
from tests.support import needs_torch as _needs_torch  # noqa: F401
from tests.support.onnx_made import make_onnx_bundle
from training.error_codes import TrainingCode
from training.trainable import load_trainable


@pytest.mark.parametrize("code", [TrainingCode.BAD_START, TrainingCode.BAD_TEACHER, TrainingCode.BAD_SOURCE])
def test_training_neither_starts_from_them_nor_learns_of_them(tmp_path: Path, code: TrainingCode) -> None:
    make_onnx_bundle(tmp_path / "tiny")
    with pytest.raises(InvalidInput, match="ONNX files, which only answer") as caught:
        load_trainable(tmp_path / "tiny", code)
    assert caught.value.code == code
