"""Bundles are listed by name, and a broken one hides no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.bundles.listing import list_bundles
from shared.bundles.manifest import MANIFEST, TENSORS
from shared.reads.bundles import model
from tests.support.bundles_made import make_bundle


def test_whole_and_broken_ones_are_listed_by_name(tmp_path: Path) -> None:
    make_bundle(tmp_path / "c")
    make_bundle(tmp_path / "b", format="nightshift-bundle/2")
    (make_bundle(tmp_path / "a") / TENSORS).unlink()
    (make_bundle(tmp_path / "d") / MANIFEST).unlink()
    make_bundle(tmp_path / ".importing-0")
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").touch()

    found = {bundle.folder.name: bundle for bundle in list_bundles(tmp_path, tmp_path / "c")}

    errors = {name: (b.error.code, b.error.message) if b.error else None for name, b in found.items()}
    assert list(errors) == ["a", "b", "c", "d"]
    assert errors["a"] == ("bundle_not_found", f"no {TENSORS}")
    assert errors["b"] == ("bundle_format", "format: must be 'nightshift-bundle/1'")
    assert errors["c"] is None
    assert errors["d"] == ("bundle_not_found", f"no {MANIFEST}")
    assert [name for name, bundle in found.items() if bundle.in_use] == ["c"]
    assert found["c"].size_bytes == sum(path.stat().st_size for path in (tmp_path / "c").iterdir())


def test_one_in_use_is_listed_wherever_it_lies(tmp_path: Path) -> None:
    elsewhere = make_bundle(tmp_path / "elsewhere")
    make_bundle(tmp_path / "weights" / "a")
    (tmp_path / "weights" / "link").symlink_to(tmp_path / "weights" / "a")

    found = list_bundles(tmp_path / "weights", elsewhere)
    assert [(bundle.folder.name, bundle.in_use) for bundle in found] == [
        ("a", False),
        ("link", False),
        ("elsewhere", True),
    ]
    assert [bundle.in_use for bundle in list_bundles(tmp_path / "weights", tmp_path / "weights/link")] == [
        True,
        True,
    ]


def test_no_folder_and_an_empty_one_hold_nothing(tmp_path: Path) -> None:
    assert list_bundles(tmp_path) == list_bundles(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({"validation": {"gender": 0.9, "age8": 0.5, "near": 0.8, "mae": 7}}, [0.9, 0.5, 0.8, 7.0]),
        ({"validation": {"gender": True, "age8": "0.5", "near": float("nan"), "mae": 10**400}}, [None] * 4),
        ({"validation": [1]}, [None] * 4),
        ("good", [None] * 4),
        (None, [None] * 4),
    ],
)
def test_metrics_are_shown_where_they_are_numbers(
    tmp_path: Path, metrics: Any, shown: list[float | None]
) -> None:
    make_bundle(tmp_path / "a", metrics=metrics)
    [bundle] = list_bundles(tmp_path)
    assert list(model(bundle).metrics.model_dump().values()) == shown
