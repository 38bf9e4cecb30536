"""W3C Trace Context: which trace a request, and the job that it made, are part of."""

from __future__ import annotations

import re

_LENGTH = 55
_TRACEPARENT = re.compile(
    "(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
"""Of this version or a later one; version 00 ends here, and what is longer is none."""


def traceparent_of(header: str) -> str | None:
    """The header `traceparent` as this version writes it; None for what is not valid, as without it."""
    found = _TRACEPARENT.fullmatch(header)
    if not found or (header.startswith("00-") and len(header) > _LENGTH):
        return None
    return f"00-{found[1]}-{found[2]}-{found[3]}"


def trace_id(traceparent: str | None) -> dict[str, str]:
    """For a line of the log: the trace, where there is one."""
    return {"trace_id": traceparent.split("-")[1]} if traceparent else {}
