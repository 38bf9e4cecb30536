"""What whoever runs a service looks at: how much was done by the hour, what expires when, what was erased."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from nightshift.words.document import Document, Known
from nightshift.words.documents import Erasure


class Hour(Document):
    """What became final within an hour."""

    begins_at: datetime
    succeeded: int
    failed: int


class History(Document):
    """The last 24 hours, the earliest first; the last of them is not over."""

    hours: list[Hour] = Field(
        description="Of photos of jobs that are still here, everybody's together; half a minute old at most."
    )


class Expiring(Document):
    """A job that time ends."""

    job_id: str
    owner: str
    label: str | None
    what: Known[Literal["results", "open", "deadline"]] = Field(
        description="`results`: it is erased then; `open`: it ends then unless it is submitted; `deadline`:"
        " what is not done is cancelled then."
    )
    at: datetime


class ExpiringList(Document):
    """Jobs that time ends, the soonest first, 100 at most."""

    expiring: list[Expiring]


class OwnedErasure(Erasure):
    """The receipt of an erased job, and whose that was."""

    owner: str


class ErasurePage(Document):
    """Receipts of erased jobs, the newest first."""

    erasures: list[OwnedErasure]
    next: str | None = Field(None, description="`cursor` of the next page; null on the last.")
