from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from nightshift.words.analysis import AGE_GROUPS
from nightshift.words.errors import ModelUnavailable
from shared.bundles.limits import Limits
from shared.bundles.manifest import (
    MANIFEST,
    MANIFEST_BYTES,
    TENSORS,
    locate_bundle,
    read_manifest,
)
from shared.settings import REPOSITORY
from tests.support.bundles_made import make_bundle

SHIPPED = REPOSITORY / "weights" / "utkface-v2s"
ALL_SHIPPED = [SHIPPED, SHIPPED.with_name("faces-mobilenet")]


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SHIPPED / MANIFEST).read_text(encoding="utf-8"))
    return copy.deepcopy(loaded)


def written(folder: Path, document: object) -> Path:
    (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    return folder


def message_of(folder: Path) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        read_manifest(folder)
    assert caught.value.code == "bundle_format"
    assert str(folder / MANIFEST) in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("shipped", ALL_SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_manifest_is_read(shipped: Path) -> None:
    manifest = read_manifest(shipped)

    assert manifest.name == shipped.name
    assert manifest.heads.age.kind == "years"
    assert [group.label for group in manifest.heads.age.groups] == [label for label, _, _ in AGE_GROUPS]


@pytest.mark.parametrize("shipped", ALL_SHIPPED, ids=lambda folder: folder.name)
def test_shipped_tensors_are_those_of_their_manifest(shipped: Path) -> None:
    digest = hashlib.sha256((shipped / TENSORS).read_bytes()).hexdigest()

    assert read_manifest(shipped).sha256 == digest


def test_thresholds_have_defaults(tmp_path: Path, document: dict[str, Any]) -> None:
    document["heads"]["gender"].pop("uncertain_below", None)
    document["heads"]["age"].pop("uncertain_below", None)

    heads = read_manifest(written(tmp_path, document)).heads

    assert (heads.gender.uncertain_below, heads.age.uncertain_below) == (0.75, 0.40)


def test_limits_have_defaults(tmp_path: Path, document: dict[str, Any]) -> None:
    document["limits"] = {"min_size_px": 48}
    limits = read_manifest(written(tmp_path, document)).limits
    assert limits == Limits(min_size_px=48)
    del document["limits"]
    assert read_manifest(written(tmp_path, document)).limits == Limits()


WRONG: list[tuple[tuple[str, ...], object]] = [
    (("format",), "nightshift-bundle/2"),
    (("name",), ""),
    (("architecture",), "resnet50"),
    (("features",), 512),
    (("input", "size"), 8),
    (("input", "std"), [0.2, 0.2, 0.0]),
    (("input", "mean"), [0.5, 0.5]),
    (("heads", "gender"), {"classes": ["female"]}),
    (("heads", "gender", "uncertain_below"), 2),
    (("heads", "age", "kind"), "decades"),
    (("framing", "nose"), [0.5]),
    (("limits",), [0.3]),
    (("limits", "min_sharpness"), "sharp"),
    (("limits", "min_size_px"), -1),
    (("limits", "min_brightness"), 2),
    (("limits", "max_yaw_deg"), 91),
    (("limits", "max_cut_off"), None),
    (("files", TENSORS, "sha256"), "abc"),
    (("files", TENSORS, "dtype"), "int8"),
]


@pytest.mark.parametrize(("where", "value"), WRONG, ids=[".".join(where) for where, _ in WRONG])
def test_what_is_wrong_is_named(
    tmp_path: Path, document: dict[str, Any], where: tuple[str, ...], value: object
) -> None:
    part = document
    for name in where[:-1]:
        part = part[name]
    part[where[-1]] = value

    assert ".".join(where) in message_of(written(tmp_path, document))


@pytest.mark.parametrize("name", ["format", "input", "heads", "framing", "files"])
def test_what_is_missing_is_named(tmp_path: Path, document: dict[str, Any], name: str) -> None:
    del document[name]

    assert f"{name}: is missing" in message_of(written(tmp_path, document))


def test_age_groups_other_than_the_eight_are_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    document["heads"]["age"]["groups"][0]["high"] = 5

    assert "groups must be 0-4, 5-9" in message_of(written(tmp_path, document))


def test_a_manifest_without_its_tensors_is_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    document["files"] = {"weights.bin": document["files"][TENSORS]}

    assert f"files must name {TENSORS}" in message_of(written(tmp_path, document))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)

    message_of(tmp_path)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    message_of(tmp_path)


@pytest.mark.parametrize(
    "written_as", ["mine", "weights/mine", "./weights/../weights/mine", "~/mine", "{}/mine"]
)
def test_a_bundle_is_found_by_name_and_by_every_kind_of_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written_as: str
) -> None:
    weights_dir = tmp_path / "weights"
    make_bundle(weights_dir / "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(weights_dir))

    found = locate_bundle(written_as.format(weights_dir), weights_dir if written_as == "mine" else tmp_path)

    assert found.is_absolute()
    assert found.samefile(weights_dir / "mine")


def test_a_name_goes_before_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bundle(tmp_path / "weights" / "mine")
    make_bundle(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)

    assert locate_bundle("mine", tmp_path / "weights") == tmp_path / "weights" / "mine"


@pytest.mark.parametrize("name", ["~there-is-no-such-user/mine", "x" * 300, "a\0b", "", "../.."])
def test_what_cannot_be_a_bundle_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        locate_bundle(name, tmp_path)

    assert caught.value.code == "bundle_not_found"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b" " * (MANIFEST_BYTES + 1), "over 1,000,000 bytes"),
        (b"1" * 10_000, "digits"),
    ],
    ids=["deep", "long", "a number"],
)
def test_a_strangers_manifest_is_read_within_bounds(tmp_path: Path, data: bytes, named: str) -> None:
    (tmp_path / MANIFEST).write_bytes(data)

    assert named in message_of(tmp_path)


def test_a_name_that_would_steer_a_terminal_is_refused(tmp_path: Path) -> None:
    assert "name: " in message_of(make_bundle(tmp_path, name="\x1b[31mred"))


def test_keys_that_would_steer_a_terminal_are_spelled_out(tmp_path: Path) -> None:
    assert "\x1b" not in message_of(make_bundle(tmp_path, files={"\x1b[31mred": {}}))


def test_the_places_looked_at_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        locate_bundle("nowhere", tmp_path)

    assert caught.value.code == "bundle_not_found"
    assert str(tmp_path / "nowhere") in caught.value.message


@pytest.mark.parametrize(
    ("path", "value", "differs"),
    [
        (("framing", "nose"), [0.5, 0.5], True),
        (("input", "size"), 111, True),
        (("heads", "gender", "uncertain_below"), 0.9, True),
        (("limits", "min_sharpness"), 0.9, True),
        (("licence",), "another", False),
        (("name",), "another", False),
    ],
)
def test_reading_is_what_decides_the_results(
    tmp_path: Path, path: tuple[str, ...], value: object, differs: bool
) -> None:
    make_bundle(tmp_path / "a")
    before = read_manifest(tmp_path / "a")
    document = json.loads((tmp_path / "a" / MANIFEST).read_text(encoding="utf-8"))
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    (tmp_path / "a" / MANIFEST).write_text(json.dumps(document), encoding="utf-8")

    assert (read_manifest(tmp_path / "a").reading != before.reading) is differs
