"""How much memory a process and its descendants have had at most, by the kernel's own counters."""

from __future__ import annotations

import os
import resource
import sys
from collections import defaultdict
from pathlib import Path

_PROC = Path("/proc")


def peak_bytes(pid: int | None = None) -> int:
    """Sum over a process and its living descendants of each one's own peak of resident memory.

    An upper bound of the peak of the sum: the peaks need not fall together, and pages that processes
    share (a library's code) count in each. Without /proc, only this process itself.

    Args:
        pid: of the eldest; this process by default.
    """
    if not (_PROC / "self" / "status").exists():
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    children: dict[int, list[int]] = defaultdict(list)
    peaks: dict[int, int] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue  # it has ended meanwhile
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        children[int(fields["PPid"])].append(int(folder.name))
        peaks[int(folder.name)] = int(fields.get("VmHWM", "0 kB").split()[0]) * 1024
    waiting, total = [os.getpid() if pid is None else pid], 0
    while waiting:
        eldest = waiting.pop()
        total += peaks.get(eldest, 0)
        waiting += children[eldest]
    return total
