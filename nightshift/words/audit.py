"""Who did what, when."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from nightshift.words.document import Document, Known

Verb = Literal[
    "open",
    "submit",
    "change",
    "pause",
    "resume",
    "cancel",
    "retry",
    "erase",
    "give_up",
    "expire",
    "make_key",
    "revoke_key",
    "set_receivers",
    "add_receiver",
    "change_receiver",
    "remove_receiver",
    "make_secret",
    "redeliver",
    "test_webhook",
]
ActorKind = Literal["key", "root", "person", "service"]


class AuditEntry(Document):
    """Something that was done."""

    id: str = Field(description="`aud_` and 32 hex digits.")
    at: datetime
    verb: Known[Verb] = Field(
        description="Of a job: `open`, `submit`, `change`, `pause`, `resume`, `cancel`, `retry`, `erase`;"
        " `give_up` where too many photos had failed, `expire` where it was never submitted."
    )
    subject: str | None = Field(
        None,
        description="What it was done to: id of a job, key, secret, receiver or delivery; null where all"
        " receivers were set.",
    )
    owner: str = Field(description="Whose that is.")
    kind: Known[ActorKind] = Field(
        description="Who did it: `key`; `root`, the root key; `person`, signed in by an OpenID provider;"
        " `service`: it was time, or by its rules."
    )
    key_id: str | None = Field(None, description="Of the key; null of any other than `key`.")
    person: str | None = Field(
        None, description="The provider's name for the person; null of any other than `person`."
    )
    address: str | None = Field(
        None,
        description="From where: behind a proxy that is trusted the client's, behind any other the proxy's.",
    )


class AuditPage(Document):
    """What was done, the newest first."""

    entries: list[AuditEntry]
    next: str | None = Field(None, description="`cursor` of the next page; null on the last.")
