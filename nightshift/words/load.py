"""How much there is to do, for whoever starts and stops workers."""

from __future__ import annotations

from pydantic import Field

from nightshift.words.document import Document


class ServiceLoad(Document):
    """What workers could do now."""

    claimable_photos: int = Field(
        description="Photos that a worker could take now: submitted, not paused, their window open."
    )
    archives_waiting: int = Field(description="Archives that a worker could unpack now.")
    workers: int = Field(description="Worker processes seen lately.")
    photos_per_second: float | None = Field(
        None, description="Of all running jobs, over the last minute; null when unknown."
    )
    seconds_to_drain: float | None = Field(
        None, description="Until nothing is claimable at this rate; 0 when nothing is, null when unknown."
    )
