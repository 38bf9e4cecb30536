from pathlib import Path

import numpy as np
import pytest

from nightshift.words.errors import InvalidInput
from tests.support import needs_torch as _needs_torch  # noqa: F401
from training.chips import Chip
from training.recipe import Stage, make_recipe, parse_stages, read_recipe
from training.teachers import read_teachers

NPY = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }".ljust(117)
    + b"\n"
)
CHIPS = [Chip("b/2_1_0_1.jpg", 2, 1, 0), Chip("a/1_0_0_1.jpg", 1, 0, 0)]


def test_stages() -> None:
    assert parse_stages("64:4, 96:1") == (Stage(64, 4), Stage(96, 1))
    recipe = make_recipe(stages="64:2,96:1")
    assert list(recipe.sides()) == [64, 64, 96]
    assert recipe.epochs == 3


@pytest.mark.parametrize(
    "text", ["", "64", "64:", ":4", "64:0", "31:1", "1025:1", "64:1;96:1", "-64:1", "64:1.5"]
)
def test_wrong_stages_are_named(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_stages(text)
    assert error.value.code == "bad_stages"


@pytest.mark.parametrize(
    "values", [{"batch_size": 1}, {"learning_rate": 0}, {"ema_decay": 1}, {"seed": -1}, {"colour": 1}]
)
def test_wrong_values_are_named(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(values))) as error:
        make_recipe(stages="64:1", **values)
    assert error.value.code == "bad_recipe"


def test_a_folder_without_a_recipe_or_with_a_wrong_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no training run"):
        read_recipe(tmp_path)
    (tmp_path / "recipe.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        read_recipe(tmp_path)
    assert error.value.code == "bad_recipe"


def write(path: Path, **changes: object) -> Path:
    arrays = {
        "names": np.array(["1_0_0_1.jpg", "2_1_0_1.jpg"]),
        "descriptor": np.arange(256, dtype=np.float16).reshape(2, 128),
        "age": np.eye(81, dtype=np.float16)[[1, 2]] * 2,
        "gender": np.array([[0.2, 0.8], [0.9, 0.1]], np.float16),
        **changes,
    }
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})  # type: ignore[arg-type]
    return path


def test_teachers_rows_follow_the_chips(tmp_path: Path) -> None:
    found = read_teachers(write(tmp_path / "t.npz"), CHIPS)
    assert found.descriptor[:, 0].tolist() == [128, 0]
    assert found.age.argmax(axis=1).tolist() == [2, 1]
    assert found.age.sum(axis=1) == pytest.approx([1, 1])
    # The file has female first, we have male first.
    assert found.gender == pytest.approx(np.array([[0.1, 0.9], [0.8, 0.2]]), abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"age": None}, "teachers_format"),
        ({"age": np.zeros((2, 80))}, "teachers_format"),
        ({"gender": np.full((2, 2), np.nan)}, "teachers_format"),
        ({"names": np.array(["1_0_0_1.jpg", "3_1_0_1.jpg"])}, "teachers_missing"),
        ({"names": np.array(["1_0_0_1.jpg", object()], dtype=object)}, "teachers_unreadable"),
    ],
)
def test_wrong_teachers_are_named(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read_teachers(write(tmp_path / "t.npz", **changes), CHIPS)
    assert error.value.code == code


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut off", b"text", NPY])
def test_what_is_no_npz_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.npz").write_bytes(data)
    with pytest.raises(InvalidInput) as error:
        read_teachers(tmp_path / "t.npz", CHIPS)
    assert error.value.code == "teachers_unreadable"
