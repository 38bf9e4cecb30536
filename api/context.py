"""What the views of one process share: made once by `create_app`, found through the application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from flask import current_app, g, request

from api.drawing import Drawing
from api.known_keys import KnownKeys
from api.last_use import LastUse
from api.probes import Probes
from api.rate_limits import RateLimits
from api.sessions import Sessions
from api.waiting import WaitingRoom
from nightshift.words.audit import ActorKind
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.owners import LOCAL
from nightshift.words.scopes import Scope
from shared.broker.doorbell import Doorbell
from shared.bundles.manifest import Manifest
from shared.db.actor import Actor
from shared.db.engine import Database
from shared.files.store import Store
from shared.operations.keys import Caller
from shared.queue.queue import Queue
from shared.reads.jobs import JobReads
from shared.settings import Settings

if TYPE_CHECKING:
    from api.overview import Overviews

    # What it is made of is there where the extra is.
    from api.provider import Provider

EXTENSION = "nightshift"


@dataclass(frozen=True, slots=True)
class Context:
    """The parts the composition root has put together.

    Attributes:
        bundle: manifest of the weights that new jobs are opened for.
        waiting_room: seats for long polls.
        rate_limits: how many requests a key may make.
        known_keys: who has a key.
        sessions: who is signed in to the page.
        provider: whom else people may sign in with; None for nobody.
        last_use: notes when keys are used.
        probes: asks the parts whether they are there.
        overviews: what was told of the night in the last second.
        database: of a request, its write transactions are for who makes it.
        drawing: draws photos for a screen.
        owner: whose jobs this request is about.
        overtakes: whether a job it makes may go before other owners'.
    """

    settings: Settings
    database: Database
    store: Store
    doorbell: Doorbell
    bundle: Manifest
    jobs: JobReads
    waiting_room: WaitingRoom
    rate_limits: RateLimits
    known_keys: KnownKeys
    sessions: Sessions
    provider: Provider | None
    last_use: LastUse
    probes: Probes
    overviews: Overviews
    drawing: Drawing
    owner: str = LOCAL
    overtakes: bool = False

    @property
    def queue(self) -> Queue:
        """The queue, by this process's settings."""
        return Queue(self.database, self.settings)

    def check_priority(self, priority: int) -> None:
        """Refuse what would go before every other owner's jobs; below 0 orders one's own.

        Raises:
            InvalidInput: `priority_forbidden`.
        """
        if priority > 0 and not self.overtakes:
            raise InvalidInput(Code.PRIORITY_FORBIDDEN, "a priority above 0 needs a key with the scope admin")


def context() -> Context:
    """The context of the application that handles this request, for whoever makes it."""
    service = cast(Context, current_app.extensions[EXTENSION])
    caller: Caller | None = g.get("caller")
    if caller is None:
        return service
    kind: ActorKind = "key" if caller.key_id else "person" if caller.person else "root"
    actor = Actor(kind, caller.key_id or None, caller.person or None, request.remote_addr)
    database = service.database.acting_for(actor)
    return replace(service, database=database, owner=caller.owner, overtakes=caller.may(Scope.ADMIN))
