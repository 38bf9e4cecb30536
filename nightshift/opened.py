"""A job that was opened to be filled, and whose photos are refused: it is not left behind."""

from __future__ import annotations

from nightshift.client import Client
from nightshift.errors import ApiError, NightshiftError

_SERVER_ERROR = 500


def take_back(client: Client, job_id: str, error: BaseException, *, even_filled: bool) -> bool:
    """Erase a job that was opened a moment ago, where the server has refused its photos for good.

    Args:
        client: of the server.
        job_id: the job.
        error: what came of filling it; what says nothing of the photos leaves the job as it is.
        even_filled: whether it goes with the photos it has, as nothing was sent for them.

    Returns:
        Whether it is gone.
    """
    if not isinstance(error, ApiError) or error.status >= _SERVER_ERROR:
        return False
    try:
        if even_filled or not client.job(job_id).counts.total:
            client.delete(job_id)
            return True
    except NightshiftError:
        # What is told is why its photos were refused.
        pass
    return False
