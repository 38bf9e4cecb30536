"""The detector's weights: facenet-pytorch's, and each kind of damage is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from nightshift.words.errors import ModelUnavailable
from shared.bundles.detector import ABOUT, DETECTOR, TENSORS, read_about
from worker.pipeline.detection.mtcnn import ALL, load_networks
from worker.pipeline.detection.weights import read_detector
from worker.pipeline.layers import shapes


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(DETECTOR, tmp_path / "mtcnn")
    return tmp_path / "mtcnn"


def write_whole(folder: Path, data: bytes) -> None:
    """Other bytes under a digest that fits them."""
    (folder / TENSORS).write_bytes(data)
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | {"sha256": hashlib.sha256(data).hexdigest()}))


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / TENSORS)
    del tensors["refine.head.bias"]
    write_whole(folder, save(tensors))


def with_a_tensor_of_another_shape(folder: Path) -> None:
    tensors = load_file(folder / TENSORS)
    write_whole(folder, save(tensors | {"output.conv4.weight": np.zeros((128, 64, 3, 3), np.float32)}))


def with_what_is_no_number(folder: Path) -> None:
    tensors = load_file(folder / TENSORS)
    tensors["propose.conv1.weight"][0, 0, 0, 0] = np.nan
    write_whole(folder, save(tensors))


def in_halves(folder: Path) -> None:
    write_whole(folder, save({name: v.astype(np.float16) for name, v in load_file(folder / TENSORS).items()}))


def cut_off(folder: Path) -> None:
    (folder / TENSORS).write_bytes((folder / TENSORS).read_bytes()[:-1])


def about_of_another_kind(folder: Path) -> None:
    (folder / ABOUT).write_text('{"format": "nightshift-bundle/1"}')


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (cut_off, f"{TENSORS}: is not the file that {ABOUT} names"),
        (lambda folder: (folder / TENSORS).unlink(), f"{TENSORS}: No such file"),
        (lambda folder: (folder / ABOUT).unlink(), f"{ABOUT}: No such file"),
        (lambda folder: (folder / ABOUT).write_bytes(b"\xff"), f"{ABOUT}: it: must be JSON"),
        (about_of_another_kind, f"{ABOUT}: format: "),
        (lambda folder: write_whole(folder, b"PK\3\4"), f"{TENSORS}: is not a safetensors file"),
        (without_a_tensor, "1 tensors are missing, the first is refine.head.bias"),
        (with_a_tensor_of_another_shape, "output.conv4.weight has shape [128, 64, 3, 3]"),
        (with_what_is_no_number, "propose.conv1.weight holds values that are not finite"),
        (in_halves, "is float16, the manifest says float32"),
    ],
)
def test_damage_is_named(copy: Path, damage: Callable[[Path], object], named: str) -> None:
    damage(copy)
    with pytest.raises(ModelUnavailable) as caught:
        load_networks("openvino", copy)
    assert caught.value.code == "detector_unavailable"
    assert str(copy) in caught.value.message
    assert named in caught.value.message


def test_they_say_whose_they_are() -> None:
    about = read_about(DETECTOR)
    assert "MIT" in about.licence and "Timothy Esler" in (DETECTOR / "LICENSE.md").read_text()
    assert (about.origin.package, about.origin.version) == ("facenet-pytorch", "2.5.3")
    assert set(about.origin.files) == {"data/pnet.pt", "data/rnet.pt", "data/onet.pt"}
    assert read_detector(DETECTOR, ALL).keys() == shapes(ALL).keys()


def test_the_command_makes_them_again_to_the_byte(tmp_path: Path) -> None:
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    from worker.import_mtcnn import main  # isort: skip

    assert main(["--out", str(tmp_path / "again")]) == 0
    for path in DETECTOR.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
