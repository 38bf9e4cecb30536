"""Asks the parts that the service stands on how they are: one question a part, whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

from nightshift.machine.room import is_full
from nightshift.words.health import Checks, Disk
from shared.broker.doorbell import Doorbell
from shared.db.engine import Database
from shared.db.migrate import is_current
from shared.files.store import Store
from shared.processes.registry import alive


def questions(database: Database, store: Store, doorbell: Doorbell) -> dict[str, Callable[[], Any]]:
    """What to ask, by name; `checks` makes of the answers what the service shows."""
    return {
        "schema": partial(schema, database),
        "living": partial(living, database),
        "disk": partial(disk, database.folder),
        "store": partial(disk_of_store, store),
        "broker": partial(broker, doorbell),
    }


def checks(answers: Mapping[str, Any]) -> Checks:
    """The state of every part, where who has not answered is down."""
    return Checks(
        database=answers.get("disk", "down") if "schema" in answers else "down",
        schema=answers.get("schema", "down"),
        store=answers.get("store", "down"),
        broker=answers.get("broker", "down"),
        **answers.get("living", {"workers": 0, "sweepers": 0, "folders": "ok"}),
    )


def schema(database: Database) -> Literal["ok", "outdated"]:
    """Whether the database answers, and has every migration."""
    with database.read() as session:
        return "ok" if is_current(session) else "outdated"


def living(database: Database) -> dict[str, Any]:
    """How many work and sweep, and whether one of them waits for a folder of photos; named as in `Checks`."""
    with database.read() as session:
        rows = alive(session)
    kinds = [row.kind for row in rows]
    folders = "away" if any(row.about.get("waits_for") for row in rows) else "ok"
    return {"workers": kinds.count("worker"), "sweepers": kinds.count("sweeper"), "folders": folders}


def disk(folder: Path | None) -> Disk:
    """Whether new bytes are taken there; of what is not this machine's nothing is known."""
    return "full" if is_full(folder) else "ok"


def disk_of_store(store: Store) -> Disk:
    """Whether the store answers, and takes new bytes."""
    store.ping()
    return disk(store.folder)


def broker(doorbell: Doorbell) -> Literal["ok", "down"]:
    """Whether it answers."""
    return "down" if doorbell.waiting() is None else "ok"
