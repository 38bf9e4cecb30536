"""For whom a transaction is."""

from __future__ import annotations

from dataclasses import dataclass

from nightshift.words.audit import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """Who has something done.

    Attributes:
        kind: `key`, `root`, a `person` whom an OpenID provider has signed in, or the `service` itself.
        key_id: of the key; None of any other.
        person: the provider's name for a person; None of any other.
        address: from where they asked; None of the service.
    """

    kind: ActorKind = "service"
    key_id: str | None = None
    person: str | None = None
    address: str | None = None


SERVICE = Actor()
