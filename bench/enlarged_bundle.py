"""The shipped weights, told to read larger crops: a stand-in for a bundle of the original model's size."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from shared.bundles.manifest import MANIFEST, TENSORS, read_manifest


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
