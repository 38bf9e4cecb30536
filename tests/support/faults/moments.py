"""Moments at which a worker with the stand-in analyser can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

MOMENTS = ("claiming", "batch begun", "in mid-batch", "saving", "saved")
"""`claiming`, `saving`: written but not committed; `saved`: committed, and the message not acknowledged."""


def die_at(moment: str) -> None:
    """SIGKILL this worker, parent and children, when that is what it has been armed for."""
    armed = Path(os.environ.get("FAULTS_DIE_AT", os.devnull))
    with suppress(FileNotFoundError):
        first, _, rest = armed.read_text(encoding="utf-8").partition("\n")
        if first and first == moment:
            armed.write_text(rest, encoding="utf-8")
            os.killpg(os.getpgrp(), signal.SIGKILL)


def dying(function: Callable[..., Any], before: str = "", after: str = "") -> Callable[..., Any]:
    """The function, with moments to die at around it."""

    def call(*args: Any, **named: Any) -> Any:
        die_at(before)
        answer = function(*args, **named)
        # A claim of nothing is no claim.
        if answer is not None:
            die_at(after)
        return answer

    return call
