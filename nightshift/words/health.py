"""Is all well? What each state of a service's parts means, in one sentence, and how grave it is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nightshift.words.document import Document, Known

Disk = Known[Literal["ok", "full", "down"]]


class Checks(Document):
    """What the service stands on."""

    database: Disk = Field(
        "ok", description="`full`: new bytes are refused, as `store_full`, where its disk is this machine's."
    )
    # `schema` is pydantic's own name on a model.
    schema_: Known[Literal["ok", "outdated", "down"]] = Field(
        "ok", alias="schema", description="`outdated`: migrations are missing."
    )
    store: Disk = Field("ok", description="`full`: as of the database.")
    broker: Known[Literal["ok", "down"]] = Field(
        "ok", description="Without it work goes on, more slowly: the database is the queue."
    )
    folders: Known[Literal["ok", "away"]] = Field(
        "ok", description="`away`: a folder of photos in place is out of reach, and workers wait for it."
    )
    workers: int = Field(0, description="Worker processes seen lately; without one nothing is analysed.")
    sweepers: int = Field(
        0, description="Sweepers seen lately; without one nothing is picked up after a fault."
    )


class Readiness(Document):
    """Whether the service can work."""

    status: Known[Literal["ready", "degraded", "unavailable"]]
    checks: Checks = Checks()


GRAVE = frozenset({"database", "schema", "store"})
"""Without these nothing works; without another part, less."""

_WRONG: dict[tuple[str, object], str] = {
    ("database", "full"): "the disk of the database is full: make room, and it goes on",
    ("database", "down"): "the database cannot be reached, or does not answer",
    ("store", "full"): "the disk of the store is full: make room, and it goes on",
    ("store", "down"): "the store cannot be reached, or does not answer",
    ("schema", "down"): "the database does not say which migrations it has",
    ("schema", "outdated"): "the database lacks migrations: run python -m shared.db.migrate",
    (
        "broker",
        "down",
    ): "the broker does not answer (NIGHTSHIFT_BROKER_URL), and without it no worker hears of work",
    (
        "folders",
        "away",
    ): "the folder of the photos is away, or empty; the workers look for it again and again",
    ("workers", 0): "no worker has signed on: each loads the weights first",
    ("sweepers", 0): "no sweeper was seen lately: what a worker left behind is not taken up",
}
"""By part, as `Checks` calls it, and state; what comes first is said first."""


def complaint(part: str, state: object) -> str | None:
    """What is wrong with a part in this state; None when it is well."""
    return _WRONG.get((part, state))


def complaints(checks: Checks) -> dict[str, str]:
    """What is wrong, by part. What an older server does not tell is not wrong."""
    states = checks.model_dump(by_alias=True, exclude_unset=True)
    return {
        part: wrong for (part, state), wrong in _WRONG.items() if part in states and states[part] == state
    }


def readiness(checks: Checks) -> Readiness:
    """What the parts' states mean for the whole."""
    wrong = complaints(checks).keys()
    status = "unavailable" if wrong & GRAVE else "degraded" if wrong else "ready"
    return Readiness(status=status, checks=checks)
