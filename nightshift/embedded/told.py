"""Who is told of a run: looked at before anything is started, and whether they were when all is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import select

from nightshift.words.owners import LOCAL
from nightshift.words.plain_text import plain
from nightshift.words.webhooks import is_message, shown_url
from shared.db.engine import Database, Transaction
from shared.db.migrate import upgrade
from shared.db.tables import Delivery
from shared.operations.webhooks import check_receivers
from shared.queue.outbox import require_secret, secret_missing
from shared.settings import Settings


def check_notify(settings: Settings, about: Mapping[str, Any]) -> None:
    """Refuse what the API would, when all has been started for it.

    Args:
        settings: of the run.
        about: its wishes beside options.

    Raises:
        NightshiftError: as `check_receivers`.
    """
    check_receivers(settings, (each["url"] for each in about.get("notify") or ()))


def check_secret(session: Transaction, about: Mapping[str, Any]) -> None:
    """Refuse webhooks that would be unsigned, before anything is started.

    Raises:
        Conflict: `webhook_secret_missing`.
    """
    require_secret(session, LOCAL, (each["url"] for each in about.get("notify") or ()))


def check_secret_beforehand(settings: Settings, about: Mapping[str, Any]) -> None:
    """The same of a database that is not open, nor perhaps there: looking at it makes none.

    Raises:
        Conflict: `webhook_secret_missing`.
    """
    if all(is_message(each["url"]) for each in about.get("notify") or ()):
        return
    if not settings.home.is_dir():
        raise secret_missing()
    upgrade(settings.database_url)
    with closing(Database(settings.database_url)) as database, database.write() as session:
        check_secret(session, about)


def what_is_untold(settings: Settings, job_id: str) -> str | None:
    """A sentence where word of a job could not be sent yet; None where all of it has been."""
    waiting = select(Delivery).where(Delivery.job_id == job_id, Delivery.state == "waiting")
    with closing(Database(settings.database_url)) as database, database.read() as session:
        left = session.scalars(waiting.order_by(Delivery.created_at).limit(1)).first()
    if left is None:
        return None
    why = f": {plain(left.problem)}" if left.problem else ""
    return f"word to {shown_url(left.url)} is not sent yet{why}; the next run, or `serve`, tries again"
