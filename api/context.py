"""What the views of one process share: made once by `create_app`, found through the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from api.waiting import WaitingRoom
from shared.bundles import Manifest
from shared.db.engine import Database
from shared.doorbell import Doorbell
from shared.reads.jobs import JobReads
from shared.settings import Settings
from shared.store import Store

EXTENSION = "nightshift"
OWNER = "local"
"""There is one key, hence one owner."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts the composition root has put together.

    Attributes:
        bundle: manifest of the weights that new jobs are opened for.
        waiting_room: seats for long polls.
    """

    settings: Settings
    database: Database
    store: Store
    doorbell: Doorbell
    bundle: Manifest
    jobs: JobReads
    waiting_room: WaitingRoom


def context() -> Context:
    """The context of the application that handles this request."""
    return cast(Context, current_app.extensions[EXTENSION])
