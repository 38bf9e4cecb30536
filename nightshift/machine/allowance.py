"""What this process may use of its machine: cores by the scheduler's affinity, and both by its control group.

A container of one core and 2 GB on a host of sixteen sees sixteen cores and all of the memory wherever the
machine is asked. Control groups are read by proc(5) and cgroups(7), of both versions: what is set anywhere on
the way from this process's group to the outermost that can be seen holds.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_NO_LIMIT_BYTES = 2**60
"""Of version 1 no limit is a number, the largest that a page fits into."""


_NUMBER = re.compile(r"-?\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be used.

    Attributes:
        cores: at least 1; the part of one that a quota leaves over counts as one.
        memory_bytes: for all processes of the group together; None where the system does not tell.
        host_cores: that the machine has.
        memory_is_limited: whether the group may use less than the machine has.
        kills: processes of the group that the kernel has ended for memory so far; None where it does not
            tell.
    """

    cores: int
    memory_bytes: int | None
    host_cores: int
    memory_is_limited: bool
    kills: int | None

    @property
    def text(self) -> str:
        """Such as `1 core of 16 and 2.0 GB of memory`."""
        cores = f"{self.cores} {'core' if self.cores == 1 else 'cores'}"
        cores += f" of {self.host_cores}" if self.cores < self.host_cores else ""
        memory = f" and {self.memory_bytes / 2**30:.1f} GB of memory" if self.memory_bytes else ""
        return cores + memory


def allowance(root: Path = Path("/")) -> Allowance:
    """What this process may use now.

    Args:
        root: folder that `/proc` and the mounts of control groups are in; another than `/` for tests alone.
    """
    host_cores = os.cpu_count() or 1
    quota = min((share for group in _groups(root, "cpu") if (share := _cpus(group))), default=math.inf)
    cores = min(_in_affinity() or host_cores, math.ceil(min(quota, host_cores)))
    limits = [limit for group in _groups(root, "memory") if (limit := _memory(group)) is not None]
    limit, there = min(limits, default=None), _memory_there()
    limited = limit is not None and (there is None or limit < there)
    memory = limit if limited else there
    return Allowance(max(1, cores), memory, host_cores, limited, _kills(root))


def _in_affinity() -> int | None:
    # Not on macOS, where there is no such thing.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _memory_there() -> int | None:
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of this process's group for a controller, and of those around it, from the innermost."""
    ours = [line.split(":", 2) for line in _lines(root / "proc/self/cgroup")]
    for line in _lines(root / "proc/self/mountinfo"):
        fields, _, kind = line.partition(" - ")
        is_second = kind.startswith("cgroup2 ")
        if not is_second and not (kind.startswith("cgroup ") and controller in kind.split()[-1].split(",")):
            continue
        if len(words := fields.split()) < 5:
            continue
        mounted, at = (_unescaped(word) for word in words[3:5])
        for _, controllers, path in (parts for parts in ours if len(parts) == 3):
            if (controllers == "") if is_second else (controller in controllers.split(",")):
                top = root / at.lstrip("/")
                inner = _below(path, mounted)
                yield from (top / part for part in (inner, *inner.parents))


def _below(path: str, mounted: str) -> PurePosixPath:
    """A group's path under what is mounted; the mount itself where the path is told from outside of it."""
    if ".." not in path.split("/"):
        with suppress(ValueError):
            return PurePosixPath(path).relative_to(mounted)
    return PurePosixPath()


def _cpus(group: Path) -> float | None:
    """Cores that its quota comes to; None without one."""
    words = _numbers(group / "cpu.max") or _numbers(group / "cpu.cfs_quota_us") + _numbers(
        group / "cpu.cfs_period_us"
    )
    quota, period = words if len(words) == 2 else (None, None)
    return quota / period if quota and period and quota > 0 else None


def _memory(group: Path) -> int | None:
    """Its limit, bytes; None without one. Over `memory.high` nothing is killed, but all of it crawls."""
    limits = (_number(group / f"memory.{name}") for name in ("max", "high", "limit_in_bytes"))
    # Nothing lives where no byte is allowed.
    return min((limit for limit in limits if limit and 0 < limit < _NO_LIMIT_BYTES), default=None)


def _kills(root: Path) -> int | None:
    """Of the innermost group that counts them, else of the machine."""
    groups = [
        group / name for group in _groups(root, "memory") for name in ("memory.events", "memory.oom_control")
    ]
    for path in (*groups, root / "proc/vmstat"):
        if (kills := _counted(path, "oom_kill")) is not None:
            return kills
    return None


def _counted(path: Path, name: str) -> int | None:
    for line in _lines(path):
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdecimal():
            return int(value)
    return None


def _number(path: Path) -> int | None:
    return next(iter(_numbers(path)), None)


def _numbers(path: Path) -> list[int | None]:
    """The words of a file's first line; `max`, and what is no number, is None."""
    words = next(iter(_lines(path)), "").split()
    return [int(word) if _NUMBER.fullmatch(word) else None for word in words]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _unescaped(field: str) -> str:
    """See proc(5): blanks in a path are written as octal numbers."""
    return field.replace(r"\040", " ").replace(r"\011", "\t").replace(r"\134", "\\")
