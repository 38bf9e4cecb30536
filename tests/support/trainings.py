"""Training runs that are small enough for a test."""

from __future__ import annotations

from pathlib import Path

from training.log import read_log

SMALL = ("--stages", "32:1", "--batch-size", "8", "--train-chips", "32", "--processes", "0")
"""Four steps."""

OF_500 = (
    *("--stages", "32:1,40:1", "--batch-size", "50", "--train-chips", "500"),
    *("--learning-rate", "2e-3"),
)
"""Twenty steps, on 500 chips."""


def steps(run: Path) -> list[dict[str, float]]:
    """What the log says of each step."""
    return [entry for entry in read_log(run) if entry["event"] == "step"]


def losses(run: Path) -> list[float]:
    """The loss of each step."""
    return [step["loss"] for step in steps(run)]
