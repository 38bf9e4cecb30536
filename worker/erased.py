"""A job that was erased while this process still wrote to its folder leaves nothing there."""

from __future__ import annotations

import logging

from shared.db.tables import Job
from shared.files.store import job_prefix
from worker.parts import Parts

log = logging.getLogger(__name__)


def clear_if_erased(parts: Parts, owner: str, job_id: str) -> None:
    """Delete what was stored for a job that is gone; to be called after the last write for it.

    Raises:
        Transient: database or store are away.
    """
    with parts.database.read() as session:
        if session.get(Job, job_id) is not None:
            return
    parts.store.clear(job_prefix(owner, job_id))
    log.info("cleared after an erased job", extra={"job": job_id})
