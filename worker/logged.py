"""What every line of the log about a batch, or an archive, says of it."""

from __future__ import annotations

from nightshift.words.traces import trace_id
from shared.queue.claim import Claim
from shared.queue.unpacking import HeldArchive


def ids_of(held: Claim | HeldArchive) -> dict[str, str]:
    """Its job and its lease, and the trace that the job is part of, if it is."""
    return {"job": held.job_id, "lease": held.token, **trace_id(held.traceparent)}
