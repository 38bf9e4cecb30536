"""An owner's webhooks: secrets, receivers, and deliveries to look at, to repeat and to try."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update

from nightshift.words import webhooks as words
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, NotFound
from nightshift.words.ids import new_id
from shared import messages
from shared.addresses import is_forbidden_literal, networks_in
from shared.db.engine import Transaction
from shared.db.tables import Delivery, Receiver, WebhookSecret
from shared.queue import audit, dispatch, holdings, outbox
from shared.reads.cursor import decode_job, encode_job
from shared.reads.shown import shown
from shared.settings import Settings

OVERLAP = timedelta(hours=24)
"""For so long the last secret signs beside a new one, so that receivers can be told of it."""
SECRET_BYTES = 32
TESTS_A_MINUTE = 30
"""Of an owner: each is a row for a week, and somebody's server is asked."""


def check_receivers(settings: Settings, urls: Iterable[str]) -> None:
    """Refuse URLs of which it can be told by their letters that nothing will, or can, be sent there.

    What a name leads to is looked up when something is sent, each time.

    Raises:
        InvalidInput: `webhook_address_forbidden`, `notify_url_malformed`.
        Conflict: `messages_not_installed`.
    """
    allowed = networks_in(settings.webhook_allow_cidrs)
    for url in urls:
        if words.is_message(url):
            messages.understood(url)
        host = urlsplit(url).hostname or ""
        if is_forbidden_literal(host, allowed):
            message = (
                f"{host} is not of the public internet, and NIGHTSHIFT_WEBHOOK_ALLOW_CIDRS does not allow it"
            )
            raise InvalidInput(Code.WEBHOOK_ADDRESS_FORBIDDEN, message)


def make_secret(session: Transaction, owner: str) -> WebhookSecret:
    """Make a secret; the one before it signs as well for `OVERLAP`, and those before that no more."""
    holdings.lock(session, owner)
    current = WebhookSecret.owner == owner, WebhookSecret.expires_at.is_(None)
    older = WebhookSecret.owner == owner, WebhookSecret.expires_at.is_not(None)
    session.execute(delete(WebhookSecret).where(*older), execution_options={"synchronize_session": False})
    session.change(update(WebhookSecret).where(*current).values(expires_at=session.now + OVERLAP))
    text = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    row = WebhookSecret(id=new_id("whs"), owner=owner, secret=text, created_at=session.now)
    session.add(row)
    audit.note(session, "make_secret", owner, row.id)
    session.flush()
    return row


def set_receivers(session: Transaction, owner: str, receivers: Iterable[words.Notify]) -> None:
    """Say who is told of jobs that name nobody; those that were told before and are not named are no more.

    Raises:
        Conflict: `webhook_secret_missing`.
    """
    holdings.lock(session, owner)
    session.change(update(Receiver).where(Receiver.owner == owner).values(notify=None))
    for each in receivers:
        outbox.require_secret(session, owner, [each.url])
        session.merge(Receiver(owner=owner, url=each.url, notify=each.model_dump(), disabled_at=None))
    audit.note(session, "set_receivers", owner)
    nothing_known = Receiver.owner == owner, Receiver.notify.is_(None), Receiver.disabled_at.is_(None)
    session.flush()
    session.execute(delete(Receiver).where(*nothing_known), execution_options={"synchronize_session": False})


def add_receiver(session: Transaction, owner: str, notify: words.Notify) -> Receiver:
    """Have one more be told of jobs that name nobody; known already, it is told of these events from now on.

    Raises:
        Conflict: `webhook_secret_missing`, `too_many_receivers`.
    """
    holdings.lock(session, owner)
    outbox.require_secret(session, owner, [notify.url])
    _require_room(session, owner, Receiver.url != notify.url)
    given = notify.model_dump()
    row = session.merge(Receiver(owner=owner, url=notify.url, notify=given, disabled_at=None))
    session.flush()
    audit.note(session, "add_receiver", owner, row.id)
    return row


def change_receiver(
    session: Transaction, owner: str, receiver_id: str, change: words.ReceiverChange
) -> Receiver:
    """Have a receiver be told elsewhere, or of other events; its id stays, and it is enabled.

    One that was known from jobs alone is told of jobs that name nobody from now on.

    Raises:
        NotFound: `receiver_not_found`.
        Conflict: `webhook_secret_missing`, `receiver_exists`, `too_many_receivers`.
    """
    row = receiver_of(session, owner, receiver_id)
    _require_room(session, owner, Receiver.id != receiver_id)
    before = row.notify or {"url": row.url}
    wish = words.Notify.model_validate({**before, **change.model_dump(exclude_none=True)})
    outbox.require_secret(session, owner, [wish.url])
    if wish.url != row.url:
        namesake = session.get(Receiver, (owner, wish.url))
        if namesake is not None and namesake.notify is not None:
            message = "another receiver of all jobs has this URL already"
            raise Conflict(Code.RECEIVER_EXISTS, message, receiver=namesake.id)
        if namesake is not None:
            session.delete(namesake)
            session.flush()
    row.url, row.notify, row.disabled_at = wish.url, wish.model_dump(), None
    session.flush()
    audit.note(session, "change_receiver", owner, row.id)
    return row


def _require_room(session: Transaction, owner: str, other: ColumnElement[bool]) -> None:
    """Refuse one more where there are as many `other` receivers of all jobs as there may be."""
    named = Receiver.owner == owner, Receiver.notify.is_not(None), other
    count = session.scalar(select(func.count()).select_from(Receiver).where(*named)) or 0
    if count >= words.MOST_RECEIVERS:
        message = f"there are {count} receivers of all jobs already: remove one first"
        raise Conflict(Code.TOO_MANY_RECEIVERS, message)


def receiver_of(session: Transaction, owner: str, receiver_id: str) -> Receiver:
    """One receiver.

    Raises:
        NotFound: `receiver_not_found`.
    """
    row = session.scalar(select(Receiver).where(Receiver.id == receiver_id, Receiver.owner == owner))
    if row is None:
        raise NotFound(Code.RECEIVER_NOT_FOUND, f"no receiver {receiver_id}")
    return row


def remove_receiver(session: Transaction, owner: str, receiver_id: str) -> words.Receiver:
    """Tell one no more of jobs that name nobody; returns what it was.

    That it answered 410 is kept, for jobs that name it: it goes when one removes it that is told of nothing.

    Raises:
        NotFound: `receiver_not_found`.
    """
    row = receiver_of(session, owner, receiver_id)
    was = shown(words.Receiver, row)
    if row.notify is None or row.disabled_at is None:
        session.delete(row)
    else:
        row.notify = None
    session.flush()
    audit.note(session, "remove_receiver", owner, was.id)
    return was


def webhooks_of(session: Transaction, owner: str) -> words.Webhooks:
    """An owner's receivers by URL, and secrets that sign, the newest first."""
    receivers = select(Receiver).where(Receiver.owner == owner).order_by(Receiver.url)
    signing = WebhookSecret.expires_at.is_(None) | (WebhookSecret.expires_at > session.now)
    made = select(WebhookSecret).where(WebhookSecret.owner == owner, signing)
    return words.Webhooks(
        receivers=[shown(words.Receiver, row) for row in session.scalars(receivers)],
        secrets=[
            shown(words.Secret, row)
            for row in session.scalars(made.order_by(WebhookSecret.created_at.desc()))
        ],
    )


def deliveries_of(
    session: Transaction,
    owner: str,
    *,
    state: str | None = None,
    job_id: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> words.DeliveryPage:
    """An owner's deliveries, the newest first.

    Raises:
        InvalidInput: `bad_cursor`.
    """
    wanted = {"owner": owner, "state": state, "job_id": job_id}
    query = select(Delivery).filter_by(**{name: value for name, value in wanted.items() if value is not None})
    query = query.order_by(Delivery.created_at.desc(), Delivery.id.desc())
    if cursor is not None:
        query = query.where(tuple_(Delivery.created_at, Delivery.id) < decode_job(cursor))
    rows = session.scalars(query.limit(limit + 1)).all()
    page = rows[:limit]
    more = encode_job(page[-1].created_at, page[-1].id) if len(rows) > limit else None
    return words.DeliveryPage(deliveries=[shown(words.Delivery, row) for row in page], next=more)


def delivery_of(session: Transaction, owner: str, delivery_id: str, *, lock: bool = False) -> Delivery:
    """One delivery.

    Raises:
        NotFound: `delivery_not_found`.
    """
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.owner == owner)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound(Code.DELIVERY_NOT_FOUND, f"no delivery {delivery_id}")
    return row


def redeliver(session: Transaction, owner: str, delivery_id: str) -> Delivery:
    """Have a delivery be sent once more, whatever became of it.

    Raises:
        NotFound: `delivery_not_found`.
    """
    row = delivery_of(session, owner, delivery_id, lock=True)
    dispatch.again(session, row)
    audit.note(session, "redeliver", owner, row.id)
    return row


def try_receiver(session: Transaction, owner: str, url: str) -> Delivery:
    """Have a `webhook.test` be sent to a URL, which is enabled by that.

    Raises:
        Conflict: `webhook_secret_missing`.
        InvalidInput: `rate_limited`, with `retry_after_s`.
    """
    holdings.lock(session, owner)
    outbox.require_secret(session, owner, [url])
    of_owner = Delivery.owner == owner, Delivery.event == words.TEST
    lately = Delivery.created_at > session.now - timedelta(minutes=1)
    tests = session.scalar(select(func.count()).select_from(Delivery).where(*of_owner, lately)) or 0
    if tests >= TESTS_A_MINUTE:
        message = f"more than {TESTS_A_MINUTE} tests in one minute; try again in 60 s"
        raise InvalidInput(Code.RATE_LIMITED, message, retry_after_s=60)
    dispatch.enable(session, owner, url)
    outbox.add(session, owner, None, words.TEST, [url])
    newest = select(Delivery).where(*of_owner, Delivery.url == url)
    row = session.scalars(newest.order_by(Delivery.created_at.desc(), Delivery.id.desc()).limit(1)).one()
    audit.note(session, "test_webhook", owner, row.id)
    return row
