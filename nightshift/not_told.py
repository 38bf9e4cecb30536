"""Receivers of a job that nothing is sent to, for whoever counts on word of it."""

from __future__ import annotations

from nightshift.exits import say
from nightshift.words.documents import Job


def say_not_told(job: Job) -> None:
    """Name them, each in a line."""
    for url in job.notify_disabled:
        say(
            f"{url} has answered 410, gone: no word of this job goes there,"
            " unless `nightshift webhooks test` finds it there again"
        )
