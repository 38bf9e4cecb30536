"""How much memory a process and its descendants have had at most, by the kernel's own counters."""

from __future__ import annotations

import os
import resource
import sys
from collections import defaultdict
from dataclasses import dataclass
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
    return sum(_bytes(status, "VmHWM") for status in _family(os.getpid() if pid is None else pid).values())


@dataclass(frozen=True, slots=True)
class WorkerMemory:
    """Of one worker process, bytes.

    Attributes:
        resident: now.
        own: likewise, with each page that several processes share divided among them.
        peak: the most that was resident.
    """

    resident: int
    own: int
    peak: int


def workers_memory(pid: int | None = None) -> list[WorkerMemory]:
    """Of each process that analyses photos among a process's descendants. Linux only.

    Args:
        pid: of the eldest; this process by default.
    """
    family = _family(os.getpid() if pid is None else pid)
    of_celery = {known for known in family if b"worker.main" in _read(known, "cmdline")}
    # The parent of the pool analyses nothing.
    pool = [known for known in of_celery if int(family[known]["PPid"]) in of_celery]
    return [
        WorkerMemory(_bytes(family[known], "VmRSS"), _own(known), _bytes(family[known], "VmHWM"))
        for known in sorted(pool)
    ]


def _family(eldest: int) -> dict[int, dict[str, str]]:
    """`/proc/PID/status` of a process and its living descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    known: dict[int, dict[str, str]] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        lines = _read(int(folder.name), "status").decode("utf-8", "replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        if "PPid" not in fields:
            continue  # it has ended meanwhile
        children[int(fields["PPid"])].append(int(folder.name))
        known[int(folder.name)] = fields
    waiting, found = [eldest], {}
    while waiting:
        pid = waiting.pop()
        if pid in known:
            found[pid] = known[pid]
        waiting += children[pid]
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _own(pid: int) -> int:
    lines = _read(pid, "smaps_rollup").decode().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _bytes(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0 kB").split()[0]) * 1024
