"""The bundle in use, and what settings refuse: commercial use not allowed, a device it cannot run on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nightshift.words.errors import ModelUnavailable
from shared.bundles.in_use import bundle_in_use
from shared.bundles.manifest import MANIFEST, TENSORS, Manifest
from shared.settings import REPOSITORY, Settings
from tests.support.bundles_made import make_bundle
from tests.support.onnx_made import make_onnx_bundle

USE = {word: {"allowed": word, "reason": "by its makers' word"} for word in ("yes", "no", "unknown")}


def used(folder: Path, **settings: Any) -> Manifest:
    return bundle_in_use(Settings(bundle=str(folder), **settings))[1]


def refused(folder: Path, **settings: Any) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        used(folder, **settings)
    return caught.value


def test_commercial_use_is_asked_for_and_allowed(tmp_path: Path) -> None:
    make_bundle(tmp_path / "a", commercial_use=USE["yes"])
    assert used(tmp_path / "a", require_commercial_use=True).commercial_use.allowed == "yes"


@pytest.mark.parametrize("word", ["no", "unknown"])
def test_where_it_is_asked_for_others_are_refused_by_their_reason(tmp_path: Path, word: str) -> None:
    make_bundle(tmp_path / "a", commercial_use=USE[word])
    assert used(tmp_path / "a").commercial_use.allowed == word
    error = refused(tmp_path / "a", require_commercial_use=True)
    assert error.code == "commercial_use_not_allowed"
    assert f"is {word!r}: by its makers' word" in error.message


def test_a_manifest_that_does_not_say_is_unknown(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "a") / MANIFEST
    told = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in told.items() if k not in ("commercial_use", "licence")}))
    made = used(tmp_path / "a")
    assert made.licence == "not said"
    assert (made.commercial_use.allowed, made.commercial_use.reason) == (
        "unknown",
        "their manifest does not say",
    )
    assert (
        "'unknown': their manifest does not say"
        in refused(tmp_path / "a", require_commercial_use=True).message
    )


@pytest.mark.parametrize("name", ["utkface-v2s", "faces-mobilenet"])
def test_the_shipped_ones_say_no(name: str) -> None:
    error = refused(REPOSITORY / "weights" / name, require_commercial_use=True)
    assert "non-commercial research only" in error.message


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_onnx_is_refused_on_cuda_before_anything_begins(tmp_path: Path, device: str) -> None:
    make_onnx_bundle(tmp_path / "a")
    error = refused(tmp_path / "a", device=device)
    assert (error.code, "on the CPU alone" in error.message) == ("device_unavailable", True)
    assert used(make_bundle(tmp_path / "b"), device=device).name == "b"
    assert used(tmp_path / "a", device="auto").name == "a"


def test_onnx_is_refused_on_torch(tmp_path: Path) -> None:
    make_onnx_bundle(tmp_path / "a")
    assert refused(tmp_path / "a", runtime="torch").code == "runtime_unavailable"


def test_its_files_are_held_against_their_digests_where_that_is_asked_for(tmp_path: Path) -> None:
    make_bundle(tmp_path / "a")
    (tmp_path / "a" / TENSORS).write_bytes(b"others")
    assert used(tmp_path / "a").name == "a"
    with pytest.raises(ModelUnavailable) as caught:
        bundle_in_use(Settings(bundle=str(tmp_path / "a")), verified=True)
    assert caught.value.code == "bundle_sha256"
