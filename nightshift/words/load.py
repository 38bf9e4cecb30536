"""How much there is to do, for whoever starts and stops workers, and what more would take."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from nightshift.words.body import Body
from nightshift.words.document import Document
from nightshift.words.new_job import Window
from nightshift.words.options import Whole


class ServiceLoad(Document):
    """What workers could do now."""

    claimable_photos: int = Field(
        description="Photos that a worker could take now: submitted, not paused, their window open. Above"
        " 10,000 as of the last second, and of the first 500 jobs."
    )
    archives_waiting: int = Field(description="Archives that a worker could unpack now.")
    workers: int = Field(description="Worker processes seen lately.")
    photos_per_second: float | None = Field(
        None, description="Of all running jobs, over the last minute; null when unknown."
    )
    seconds_to_drain: float | None = Field(
        None, description="Until nothing is claimable at this rate; 0 when nothing is, null when unknown."
    )


class NewLoad(Body):
    """A job that somebody thinks of."""

    photos: Whole = Field(ge=1, le=10_000_000, description="How many it would have.")
    processing_window: Window | None = Field(None, description="As of a job.")


class Estimate(Document):
    """What it would take, behind what waits now."""

    photos: int
    photos_per_second: float | None = Field(
        None, description="Of what runs now, else of the last jobs that ended; null when unknown."
    )
    begins_at: datetime = Field(description="When its window opens, or now.")
    seconds: float | None = Field(None, description="From then until it is ready; null when unknown.")
    ready_at: datetime | None = Field(None, description="Null when unknown.")
