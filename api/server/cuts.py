"""Clients that were cut off: a line in the log for each, and how many there were."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Literal

Kind = Literal["slow_head", "slow_body", "slow_reader", "no_room"]

log = logging.getLogger("nightshift.server")

_lock = threading.Lock()
_counts: Counter[Kind] = Counter()


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


def counts() -> dict[Kind, int]:
    """How many of each kind this process has cut off."""
    with _lock:
        return dict(_counts)
