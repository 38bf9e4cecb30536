"""Clients that were cut off or not let in: a line in the log, and how many there were."""

from __future__ import annotations

import errno
import logging
import threading
from collections import Counter
from typing import Literal

from nightshift.words.error_codes import Code

Kind = Literal["slow_head", "slow_body", "slow_reader", "no_room"]

NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC}
"""What the kernel says when it has no more; the last of them of places in a poller."""

log = logging.getLogger("nightshift.server")

_lock = threading.Lock()
_counts: Counter[Kind] = Counter()
_noted: set[tuple[type, int | None]] = set()


def cut_off(kind: Kind, peer: str, *, after_s: float, size_bytes: int, for_others: bool = False) -> None:
    """Log and count one.

    Args:
        kind: what it was slow at; `no_room`: others came, and it had said nothing for longest.
        peer: its address.
        after_s: how long it was waited for.
        size_bytes: what had passed by then.
        for_others: whether it kept the least rate, and had to make room.
    """
    with _lock:
        _counts[kind] += 1
    fields = {"kind": kind, "peer": peer, "after_s": round(after_s, 1), "bytes": size_bytes}
    log.warning("cut off", extra={**fields, "for_others": True} if for_others else fields)


def not_taken_in(error: OSError) -> None:
    """Log it once of a kind: what keeps one client out keeps out the next."""
    kind = (type(error), error.errno)
    if kind not in _noted:
        _noted.add(kind)
        log.error("a connection could not be taken in", extra={"reason": str(error)})


def refused(code: Code, peer: str, error: Exception) -> None:
    """Log a head that is not taken, and why where that is the server's own fault."""
    fields = {"peer": peer, "status": code.status, "code": code}
    if code is Code.INTERNAL:
        log.error("a head broke the parser", exc_info=error, extra=fields)
    else:
        log.warning("refused", extra=fields)


def counts() -> dict[Kind, int]:
    """How many of each kind this process has cut off."""
    with _lock:
        return dict(_counts)
