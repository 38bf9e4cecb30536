"""The processor's name."""

from __future__ import annotations

import platform
from pathlib import Path


def cpu_name() -> str:
    """Its model, or else its kind."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
