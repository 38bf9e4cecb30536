"""A night at a glance: what one answer says of all jobs, and of what they wait for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from nightshift.words.analysis import Box
from nightshift.words.document import Document, Known
from nightshift.words.documents import Job
from nightshift.words.health import Readiness
from nightshift.words.load import ServiceLoad
from nightshift.words.workers import Worker

WaitReason = Literal[
    "open", "unpacking", "window", "paused", "no_worker", "behind_own", "behind_others", "next", "cancelling"
]


class Wait(Document):
    """Why a job does not get on."""

    reason: Known[WaitReason] = Field(
        description="`open`: its photos are still being sent; `unpacking`: its archive is; `window`: its"
        " processing window is closed; `paused`; `no_worker`: none is running; `behind_own`: behind a job of"
        " the same owner, or one that the caller sees; `behind_others`; `next`: a worker will take it;"
        " `cancelling`: what is under way is finished."
    )
    until: datetime | None = Field(None, description="When that is over by itself; null when unknown.")
    job_id: str | None = Field(None, description="The job it is behind; null but for `behind_own`.")
    label: str | None = Field(None, description="That job's label.")


class ShownGender(Document):
    """A face's apparent gender, as a box shows it."""

    value: Known[Literal["female", "male"]]
    uncertain: bool


class ShownFace(Document):
    """A face's place, to be drawn over a thumbnail."""

    index: int
    box_norm: Box = Field(description="As fractions of the upright photo's width and height.")
    gender: ShownGender


class NewPhoto(Document):
    """One of a job's photos that were analysed last."""

    photo_id: str = Field(description="`pho_` and 32 hex digits.")
    custom_id: str = Field(description="The client's name for it, unique in the job.")
    status: Literal["succeeded"] = "succeeded"
    width: int | None = Field(None, description="Of the upright photo at full size, pixels.")
    height: int | None = Field(None, description="Of the upright photo at full size, pixels.")
    face_count: int = Field(0, description="Faces found in it.")
    faces: list[ShownFace] = Field(
        default_factory=list, description="The largest of them, 20 at most, largest first."
    )


class SeenJob(Document):
    """A job, and what one would ask of it next."""

    job: Job
    wait: Wait | None = Field(None, description="Null for one that gets on, or has ended.")
    commonest_failure: str | None = Field(
        None, description="Code that more than half of its last 1,000 failed photos have; null without one."
    )
    newest: list[NewPhoto] = Field(
        default_factory=list,
        description="Photos with faces that were analysed last, 6 at most; none for whoever sees the job from"
        " outside, as operator.",
    )


class DiskRoom(Document):
    """A disk of the server's machine."""

    holds: list[Known[Literal["database", "store"]]] = Field(description="What lies on it.")
    free_bytes: int = Field(description="In steps of 10 MB.")
    size_bytes: int


class Overview(Document):
    """The night at a glance."""

    readiness: Readiness = Field(description="As of `/readyz`, ten seconds old at most.")
    load: ServiceLoad = Field(description="As of `/v1/load`: of everybody's jobs together.")
    jobs: list[SeenJob] = Field(description="Newest first, as of `/v1/jobs`.")
    next: str | None = Field(None, description="`cursor` of `/v1/jobs` for earlier jobs; null without any.")
    workers: list[Worker] | None = Field(
        None, description="As of `/v1/workers`; null without the scope `operator`."
    )
    disks: list[DiskRoom] | None = Field(
        None,
        description="Those that the database and the store fill, where they are this machine's; null without"
        " the scope `operator`.",
    )
