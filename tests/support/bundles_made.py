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
