"""Workers and sweepers as a server shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from nightshift.words.document import Document, Known


class Worker(Document):
    """A process that works on photos, or sweeps."""

    id: str
    kind: Known[Literal["worker", "sweeper"]]
    host: str
    alive: bool = Field(description="Seen within 45 seconds, not stopped, and not known to be dead.")
    about: dict[str, Any] = Field(description="Device, bundle, batch size, version and the like.")
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    photos_held: int = Field(description="Photos under its lease now.")
    photos_done: int = Field(description="Photos it has made final since it started.")


class WorkerList(Document):
    """Processes seen within the last hour or so, the newest first."""

    workers: list[Worker]
