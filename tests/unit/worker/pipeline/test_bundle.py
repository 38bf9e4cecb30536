"""Bundles: what is written loads, and each kind of damage is refused by its own name."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import TensorSpec, serialize
from safetensors.numpy import load_file, save

from nightshift.words.errors import ModelUnavailable
from shared.bundles.manifest import MANIFEST, TENSORS
from tests.support.generated_bundle import manifest, random_tensors
from worker.pipeline.bundle import Weights, load_bundle, write_bundle

Tensors = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, manifest(), random_tensors())
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder, copy_function=os.link)  # 40 MB each: links, replaced when edited
    return folder


def refused(folder: Path) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        load_bundle(folder)
    return caught.value


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    replace_file(folder / MANIFEST, json.dumps(content).encode())


def replace_file(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def replace_bytes(folder: Path, data: bytes) -> None:
    """Other bytes under a digest that fits them, so that only their content can be at fault."""
    replace_file(folder / TENSORS, data)
    digest = hashlib.sha256(data).hexdigest()
    edit_manifest(folder, lambda m: m["files"][TENSORS].update(sha256=digest))


def edit_tensors(folder: Path, change: Callable[[Tensors], object]) -> None:
    tensors = load_file(folder / TENSORS)
    change(tensors)
    replace_bytes(folder, save(tensors))


def test_a_whole_bundle_loads_in_fp32(whole: Path) -> None:
    bundle = load_bundle(whole)
    stored = load_file(whole / TENSORS)
    assert isinstance(bundle.weights, Weights)
    assert (bundle.weights.tensor_count, bundle.weights.age_outputs) == (len(stored), 101)
    head = bundle.weights.to_logits().tensors["head.weight"]
    assert head.dtype == np.float32
    np.testing.assert_array_equal(head[2:], stored["age.weight"].astype(np.float32))
    assert bundle.manifest.sha256 == hashlib.sha256((whole / TENSORS).read_bytes()).hexdigest()


def test_other_dtypes_are_written_as_such(tmp_path: Path) -> None:
    written = write_bundle(tmp_path, manifest(), random_tensors(dtype="float32"))
    assert written.files[TENSORS].dtype == "float32"


def test_bf16_is_read(copy: Path) -> None:
    """Which numpy does not have: the upper halves of float32."""
    specs, alive = {}, []
    for name, values in load_file(copy / TENSORS).items():
        whole = values.dtype.kind == "i"
        upper = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        alive.append(stored := values if whole else upper)
        specs[name] = TensorSpec(
            dtype="int64" if whole else "bfloat16",
            shape=stored.shape,
            data_ptr=stored.ctypes.data,
            data_len=stored.nbytes,
        )
    expected = load_bundle(copy).weights.to_logits().tensors["head.weight"]  # type: ignore[union-attr]
    replace_bytes(copy, bytes(serialize(specs)))
    edit_manifest(copy, lambda m: m["files"][TENSORS].update(dtype="bfloat16"))
    found = load_bundle(copy).weights.to_logits().tensors["head.weight"]  # type: ignore[union-attr]
    np.testing.assert_allclose(found, expected, rtol=2**-7)
    assert (found != expected).any()


@pytest.mark.parametrize("name", [MANIFEST, TENSORS])
def test_a_missing_file_is_not_found(copy: Path, name: str) -> None:
    (copy / name).unlink()
    error = refused(copy)
    assert error.code == "bundle_not_found"
    assert name in error.message


def test_a_folder_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").code == "bundle_not_found"


def test_other_bytes_than_the_manifest_names_are_refused(copy: Path) -> None:
    data = bytearray((copy / TENSORS).read_bytes())
    data[-1] ^= 1
    replace_file(copy / TENSORS, bytes(data))
    error = refused(copy)
    assert error.code == "bundle_sha256"
    assert hashlib.sha256(data).hexdigest() in error.message


def test_a_truncated_file_is_refused_by_its_digest(copy: Path) -> None:
    data = (copy / TENSORS).read_bytes()
    replace_file(copy / TENSORS, data[: len(data) // 2])
    assert refused(copy).code == "bundle_sha256"


def test_a_truncated_file_with_a_fitting_digest_is_refused_too(copy: Path) -> None:
    data = (copy / TENSORS).read_bytes()
    replace_bytes(copy, data[: len(data) // 2])
    error = refused(copy)
    assert error.code == "bundle_tensors"
    assert "not a safetensors file" in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 4096,
        b"\xff" * 64,
        b"\x02" + bytes(7) + b"{}",
        b"\x08" + bytes(7) + b'{"a": 1}',
        b"PK\3\4",
    ],
    ids=["nothing", "zeros", "an endless header", "no tensors", "a header of another shape", "an archive"],
)
def test_other_content_under_a_fitting_digest_is_refused(copy: Path, data: bytes) -> None:
    replace_bytes(copy, data)
    assert refused(copy).code == "bundle_tensors"


def test_another_bundles_manifest_is_refused(copy: Path, tmp_path: Path) -> None:
    tensors = random_tensors()
    tensors["gender.bias"] = tensors["gender.bias"] + 1
    write_bundle(tmp_path / "other", manifest(), tensors)
    replace_file(copy / MANIFEST, (tmp_path / "other" / MANIFEST).read_bytes())
    assert refused(copy).code == "bundle_sha256"


@pytest.mark.parametrize("kept", [0, 1, 0.5, 0.99])
def test_a_truncated_manifest_is_refused(copy: Path, kept: float) -> None:
    data = (copy / MANIFEST).read_bytes().rstrip()
    replace_file(copy / MANIFEST, data[: int(len(data) * kept)] if kept != 1 else data[:1])
    assert refused(copy).code == "bundle_format"


def test_a_pickled_manifest_is_refused_and_not_run(copy: Path, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    replace_file(copy / MANIFEST, pickle.dumps(Payload(mark)))
    assert refused(copy).code == "bundle_format"
    assert not mark.exists()


class Payload:
    """Would leave a file behind if anything unpickled it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("how", ["pickle", "as torch does"])
def test_a_pickled_file_is_refused_and_not_run(copy: Path, tmp_path: Path, how: str) -> None:
    mark, renamed = tmp_path / "it-ran", tmp_path / "renamed"
    if how == "pickle":
        renamed.write_bytes(pickle.dumps(Payload(mark)))
    else:
        with zipfile.ZipFile(renamed, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(Payload(mark)))
    replace_bytes(copy, renamed.read_bytes())
    assert refused(copy).code == "bundle_tensors"
    assert not mark.exists()


def _remove(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def _put(name: str, tensor: NDArray[Any]) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({name: tensor})


HALF = np.float16


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_remove("features.0.0.weight"), "features.0.0.weight"),
        (_remove("gender.bias"), "gender.bias"),
        (_remove("age.bias"), "age.bias"),
        (_put("classifier.1.weight", np.zeros((2), dtype=HALF)), "classifier.1.weight"),
        (_put("gender.weight", np.zeros((3, 1280), dtype=HALF)), "gender.weight"),
        (_put("features.0.0.weight", np.zeros((24, 3, 5, 5), dtype=HALF)), "features.0.0.weight"),
        (_put("age.weight", np.zeros((100, 1280), dtype=HALF)), "age.weight"),
        (_put("age.bias", np.zeros((65), dtype=HALF)), "at least 66"),
        (_put("age.bias", np.zeros((101, 1), dtype=HALF)), "age.bias"),
        (_put("age.bias", np.full((101,), np.nan, dtype=HALF)), "age.bias"),
        (_put("gender.bias", np.array([0, np.inf], dtype=HALF)), "gender.bias"),
        (_put("gender.bias", np.zeros(2, np.float32)), "gender.bias"),
        (_put("gender.bias", np.zeros(2, np.int64)), "gender.bias"),
    ],
)
def test_wrong_tensors_are_named(copy: Path, change: Callable[[Tensors], object], named: str) -> None:
    edit_tensors(copy, change)
    error = refused(copy)
    assert error.code == "bundle_tensors"
    assert named in error.message


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_another_dtype_than_the_manifest_names_is_refused(copy: Path, dtype: str) -> None:
    edit_manifest(copy, lambda m: m["files"][TENSORS].update(dtype=dtype))
    error = refused(copy)
    assert error.code == "bundle_tensors"
    assert dtype in error.message


@pytest.mark.parametrize("by_gender", [False, True])
def test_an_age_head_of_groups_has_as_many_outputs_as_groups(tmp_path: Path, by_gender: bool) -> None:
    age = {"kind": "groups", "by_gender": by_gender}
    right = 16 if by_gender else 8
    write_bundle(tmp_path / "right", manifest(age=age), random_tensors(right))
    with pytest.raises(ModelUnavailable, match=f"of groups has {right}") as caught:
        write_bundle(tmp_path / "wrong", manifest(age=age), random_tensors(24 - right))
    assert caught.value.code == "bundle_tensors"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.update(format="nightshift-bundle/2"), "format"),
        (lambda m: m.update(architecture="resnet50"), "architecture"),
        (lambda m: m["heads"]["gender"].update(classes=["male", "male"]), "classes"),
        (lambda m: m["heads"]["gender"].update(classes=["female", "male", "other"]), "classes"),
        (lambda m: m["heads"]["age"]["groups"].pop(), "groups"),
        (lambda m: m["input"].update(std=[0.2, 0, 0.2]), "input.std"),
        (lambda m: m.pop("framing"), "framing"),
        (lambda m: m.update(files={}), "model.safetensors"),
    ],
)
def test_a_wrong_manifest_names_its_field(
    copy: Path, change: Callable[[dict[str, Any]], object], named: str
) -> None:
    edit_manifest(copy, change)
    error = refused(copy)
    assert error.code == "bundle_format"
    assert named in error.message


def test_a_manifest_that_is_no_json_is_refused(copy: Path) -> None:
    replace_file(copy / MANIFEST, b"weights: yes")
    assert refused(copy).code == "bundle_format"


def test_writing_what_would_not_load_is_refused(tmp_path: Path) -> None:
    tensors = random_tensors()
    tensors["age.bias"] = tensors["age.bias"].astype(np.float32)
    with pytest.raises(ModelUnavailable, match="one dtype"):
        write_bundle(tmp_path, manifest(), tensors)
