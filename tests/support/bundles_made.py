"""Bundles whose manifest is right and whose tensors are any bytes: all that is needed without torch."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from shared.bundles.manifest import MANIFEST, TENSORS
from tests.support.queue_rows import manifest


def make_bundle(folder: Path, *, tensors: bytes = b"tensors", **changes: Any) -> Path:
    """A bundle named like its folder, with these changes to its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / TENSORS).write_bytes(tensors)
    digest = hashlib.sha256(tensors).hexdigest()
    files = {TENSORS: {"sha256": digest, "dtype": "float16"}}
    document = {**manifest().model_dump(mode="json"), "name": folder.name, "files": files, **changes}
    (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    return folder


NECESSARY = ("format", "name", "architecture", "features", "input", "heads", "framing", "files")


def make_bare_bundle(folder: Path) -> Path:
    """A bundle whose manifest has what it must have, and nothing else."""
    path = make_bundle(folder) / MANIFEST
    document = json.loads(path.read_text(encoding="utf-8"))
    kept = {name: document[name] for name in NECESSARY}
    for head in kept["heads"].values():
        for name in ("uncertain_below", "uncertain_at", "by_gender"):
            head.pop(name, None)
    path.write_text(json.dumps(kept), encoding="utf-8")
    return folder
