"""The number format that the first worker of a home chose, which others keep to: a job has one arithmetic.

Of two formats that are nearly as fast as each other one worker would choose this and its twin that, and the
second digit of a probability would depend on who took the photo.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nightshift.machine.whole_files import create_whole
from worker.pipeline.processor import features

FOLDER = "chosen-formats"

log = logging.getLogger(__name__)


class KeptChoice:
    """A file for one bundle, on one kind of processor, under one release of what networks run on.

    Args:
        home: of the workers.
        bundle_sha256: identity of the weights.
        formats: those there are to choose from.
    """

    def __init__(self, home: Path, bundle_sha256: str, formats: Sequence[str]) -> None:
        self._formats = formats
        told = json.dumps([bundle_sha256, _openvino(), sorted(features()), list(formats)])
        self._path = home / FOLDER / f"{hashlib.sha256(told.encode()).hexdigest()[:24]}.json"

    def read(self) -> tuple[str, str] | None:
        """The format, and what decided; None where nothing is kept, or nothing that can be meant."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            precision, because = told["precision"], told["because"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s is damaged, and chosen anew: %r", self._path, error)
            with suppress(OSError):
                self._path.unlink()
            return None
        if precision not in self._formats:
            log.warning("%s names %r, and is chosen anew", self._path, precision)
            with suppress(OSError):
                self._path.unlink()
            return None
        return precision, str(because)

    def keep(self, precision: str, because: str) -> None:
        """Write it down, unless another worker has; a home that cannot be written to does without."""
        data = json.dumps({"precision": precision, "because": because}, indent=1).encode() + b"\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_whole(self._path, data)
        except OSError as error:
            log.warning("the chosen number format is not kept: %s", error)


def _openvino() -> str:
    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""
