from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support import needs_torch as _needs_torch  # noqa: F401

# isort: split
from bench import floors
from bench.enlarged_bundle import write_enlarged
from bench.memory import peak_bytes
from bench.others import Others
from shared.bundles.manifest import MANIFEST, read_verified_manifest
from shared.settings import REPOSITORY


def test_the_pyramid_is_mtcnns() -> None:
    levels = floors.pyramid(1620, 1080)

    assert levels[0] == (649, 973)
    assert min(levels[-1]) >= 12
    assert floors.pyramid(19, 400) == []


def test_pnet_costs_about_3660_operations_a_pixel_of_the_pyramid() -> None:
    """By its layers, were there no borders: 540 + 2880 / 4 + 9216 / 4 + 384 / 4."""
    pixels = sum(height * width for height, width in floors.pyramid(1620, 1080))

    assert 0.95 < floors.pnet_flops(1620, 1080) / (pixels * 3660) < 1


def test_the_classifier_costs_in_proportion_to_its_pixels() -> None:
    # torchvision: 8.37 G multiply-adds at 384 px.
    large, small = (floors.face_flops(size, "efficientnet_v2_s") for size in (384, 128))
    assert large == pytest.approx(2 * 8.37e9, rel=0.01)
    assert large / small == pytest.approx(9, rel=0.01)
    # Howard et al. 2017: 569 M at 224 px.
    assert floors.face_flops(224, "mobilenet_v1") == pytest.approx(2 * 569e6, rel=0.01)


def test_an_enlarged_bundle_is_a_bundle(tmp_path: Path) -> None:
    shipped = REPOSITORY / "weights" / "utkface-v2s"
    folder = write_enlarged(shipped, tmp_path / "large", 384)

    manifest = read_verified_manifest(folder)
    assert (manifest.name, manifest.input.size) == ("utkface-v2s-384", 384)
    kept = json.loads((folder / MANIFEST).read_text())
    assert kept["input"]["mean"] == json.loads((shipped / MANIFEST).read_text())["input"]["mean"]


def test_memory_and_others_of_this_process() -> None:
    assert peak_bytes() > 10_000_000
    watch = Others(os.getpid())
    share = watch.share()
    assert share is None or 0 <= share <= 1
