"""How much of the cores other processes took while a contender ran: what a measurement may be blamed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Seen:
    total: int
    busy: int
    own: int


class Others:
    """Looks at the kernel's counters now, and again when asked.

    Args:
        pid: of the contender; its descendants count with it.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._begun = _look(pid)

    def share(self) -> float | None:
        """Of all cores' time since, the part that neither idled nor was the contender's; 0-1."""
        begun, ended = self._begun, _look(self._pid)
        if begun is None or ended is None or ended.total <= begun.total:
            return None
        foreign = (ended.busy - begun.busy) - (ended.own - begun.own)
        return min(1.0, max(0.0, foreign / (ended.total - begun.total)))


def _look(pid: int) -> _Seen | None:
    try:
        fields = [int(field) for field in (_PROC / "stat").read_text().splitlines()[0].split()[1:9]]
        return _Seen(sum(fields), sum(fields) - fields[3] - fields[4], _used_by(pid))
    except (OSError, ValueError, IndexError):
        return None


def _used_by(pid: int) -> int:
    """Clock ticks of a process, its living descendants, and the dead ones they have waited for."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        ticks[int(folder.name)] = sum(int(field) for field in fields[11:15])
    return sum(used for each, used in ticks.items() if _descends(each, pid, parents))


def _descends(pid: int, eldest: int, parents: dict[int, int]) -> bool:
    while pid and pid != eldest:
        pid = parents.get(pid, 0)
    return pid == eldest
