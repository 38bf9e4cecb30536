"""Names a process so that another on the same machine can tell whether it still lives.

A lease of a worker that was killed need not wait for its time to run out: the sweeper beside it
sees that the process is gone. Only processes that share a process namespace may judge each other,
so the name carries machine boot and namespace; anywhere else the lease's time decides.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def _realm() -> str:
    """Boot and process namespace, or empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
    return f"{boot[:8]}.{''.join(filter(str.isdigit, namespace))}"


def _started_at_ticks(pid: int) -> str | None:
    """Field 22 of proc(5) stat, which tells a process from a later one with its number; None of the dead.

    Raises:
        OSError: it is not for us to see, nor perhaps there.
    """
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    fields = stat.rpartition(")")[2].split()
    # A zombie is dead: nobody has collected it yet.
    return None if fields[0] in {"Z", "X"} else fields[19]


def own_process_id() -> str:
    """Such as `host/1f2e3d4c.4026531836/1234.567890`: host, realm, number and start."""
    pid = os.getpid()
    try:
        started = _started_at_ticks(pid)
    except OSError:
        started = None
    return f"{socket.gethostname()}/{_realm()}/{pid}.{started or 0}"


def is_surely_dead(process_id: str) -> bool:
    """True only when the process ran in this realm and is gone."""
    pid, started = _here(process_id)
    if pid is None:
        return False
    try:
        return _started_at_ticks(pid) != started
    except OSError:
        return not _exists(pid)


def is_surely_alive(process_id: str) -> bool:
    """True only when the process runs in this realm."""
    pid, started = _here(process_id)
    try:
        return pid is not None and _started_at_ticks(pid) == started
    except OSError:
        return False


def _here(process_id: str) -> tuple[int | None, str]:
    """Number and start of a process of this realm; no number of any other."""
    _, _, rest = process_id.partition("/")
    realm, _, process = rest.partition("/")
    pid, _, started = process.partition(".")
    return (int(pid) if realm and realm == _realm() and pid.isdigit() else None), started


def _exists(pid: int) -> bool:
    """Also of processes that proc(5) hides from this user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
