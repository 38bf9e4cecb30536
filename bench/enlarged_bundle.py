"""The original's network, told to read crops of the size it was made for: a stand-in for such a bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from shared.bundles.manifest import MANIFEST, TENSORS, read_manifest
from shared.settings import REPOSITORY

ORIGINAL = REPOSITORY / "weights" / "utkface-v2s"
"""Weights of the original model's network, EfficientNetV2-S."""


def write_enlarged(source: Path, folder: Path, size_px: int) -> Path:
    """Copy a bundle under another input size; convolutions take any, and speed does not depend on weights.

    Args:
        source: folder of the bundle.
        folder: made here.
        size_px: side of the crops.

    Raises:
        ModelUnavailable: `bundle_format`, when the source is no bundle.
    """
    manifest = json.loads(read_manifest(source).model_dump_json())
    manifest["name"] = f"{manifest['name']}-{size_px}"
    manifest["input"]["size"] = size_px
    folder.mkdir(parents=True)
    shutil.copyfile(source / TENSORS, folder / TENSORS)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return folder
