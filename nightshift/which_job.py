"""Which job is meant: by its id, the beginning of it, or as the latest."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice

from nightshift.client import Client
from nightshift.errors import ApiError, NightshiftError
from nightshift.variables import server_of_environment
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

LATEST = "latest"
MOST_LOOKED_AT = 2000
"""Jobs among which a beginning is looked for, the newest first."""
COMPLETED = 50
"""Jobs that a shell is offered."""

_WHOLE = re.compile("job_[0-9a-f]{32}")
_BEGINNING = re.compile("(?:job_)?[0-9a-f]{3,31}")


def job_named(client: Client, given: str) -> str:
    """The id of the job that is meant; what names none comes back as it is, for the server to say so.

    Args:
        client: of the server.
        given: an id; at least three digits of its beginning, with `job_` or without; or `latest`.

    Raises:
        InvalidInput: `job_not_found`, there is none yet; `several_jobs`, more than one begins so.
    """
    if given == LATEST:
        for job in client.jobs():
            return job.id
        raise InvalidInput(Code.JOB_NOT_FOUND, "there is no job yet")
    if _WHOLE.fullmatch(given) or not _BEGINNING.fullmatch(given):
        return given
    beginning = given if given.startswith("job_") else f"job_{given}"
    found = [job.id for job in islice(client.jobs(), MOST_LOOKED_AT) if job.id.startswith(beginning)]
    if len(found) > 1:
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise InvalidInput(Code.SEVERAL_JOBS, f"{len(found)} jobs begin with {given}: {shown}")
    return found[0] if found else given


def complete(incomplete: str) -> list[str]:
    """Ids of the latest jobs, for a shell, of the server that the environment names; none if it is silent."""
    with (
        suppress(NightshiftError, ApiError, ValueError),
        Client(*server_of_environment(), timeout_s=2.0) as client,
    ):
        ids = [LATEST, *(job.id for job in islice(client.jobs(), COMPLETED))]
        return [job_id for job_id in ids if job_id.startswith(incomplete)]
    return []
