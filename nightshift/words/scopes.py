"""What an API key may be good for."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a key is good for; `admin` includes the others, except that it sees its owner's jobs alone."""

    # Look at the owner's jobs.
    READ = "read"
    # That, and make and steer them.
    SUBMIT = "submit"
    # Register files of the server's machine, within its roots.
    IN_PLACE = "in_place"
    # See everybody's jobs from outside, workers and metrics.
    OPERATOR = "operator"
    # `/metrics` alone.
    METRICS = "metrics"
    # All of these, keys, and priorities over other owners.
    ADMIN = "admin"
