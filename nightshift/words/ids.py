"""Identifiers: a prefix that says what it is, then hex that sorts by time of making."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Literal

Prefix = Literal["job", "pho", "lea", "key", "evt", "whs", "rcv", "aud"]


def new_id(prefix: Prefix) -> str:
    """A fresh id such as `job_0193e5c1a2b4f0c2d4e6a8b1c3d5e7f9`: 48 bits of milliseconds, 80 of chance."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def member_photo_id(job_id: str, position: int) -> str:
    """Id of the photo that an archive's member becomes: the same however often it is unpacked."""
    return f"pho_{hashlib.sha256(f'{job_id}/{position}'.encode()).hexdigest()[:32]}"
