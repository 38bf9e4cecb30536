"""What a client asks of a server about webhooks, and messages to people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from pydantic import ValidationError

from nightshift.connection import Connection, checked_id
from nightshift.words.body import refuse_fields
from nightshift.words.documents import Job
from nightshift.words.webhooks import (
    Delivery,
    DeliveryPage,
    JobEvent,
    MadeSecret,
    Notify,
    Receiver,
    ReceiverChange,
    Webhooks,
)

PAGE = 100
"""Deliveries listed with one request."""


def _notify(**fields: Any) -> Notify:
    try:
        return Notify.model_validate(fields)
    except ValidationError as error:
        refuse_fields(error)


class WebhookCalls:
    """The part of `Calls` that is about who is told of jobs."""

    _connection: Connection

    async def webhooks(self) -> Webhooks:
        """Receivers of all one's jobs, and the secrets that sign what they get, without the secrets."""
        return await self._connection.ask(Webhooks, "GET", "/v1/webhooks", again=True)

    async def add_receiver(
        self, url: str, *, events: Iterable[JobEvent] = ("job.ended",), progress_percent: int = 10
    ) -> Receiver:
        """Have one more be told of each job that names nobody. Needs the scope `admin`.

        Args:
            url: of a webhook, or of a message, by Apprise.
            events: what it is told of.
            progress_percent: 1-100; `job.progress` comes each time so many per cent more are final.

        Raises:
            InvalidInput: `invalid_fields`, `notify_scheme_unknown`, `notify_url_malformed`.
        """
        wish = _notify(url=url, events=list(events), progress_percent=progress_percent)
        # Again is no error: the same URL is told the same.
        body = wish.model_dump(mode="json")
        return await self._connection.ask(Receiver, "POST", "/v1/webhooks/receivers", again=True, json=body)

    async def change_receiver(
        self,
        receiver_id: str,
        *,
        url: str | None = None,
        events: Iterable[JobEvent] | None = None,
        progress_percent: int | None = None,
    ) -> Receiver:
        """Change where, or of what, a receiver of all jobs is told. Needs the scope `admin`.

        What is None stays.

        Args:
            receiver_id: the receiver.
            url: as for `add_receiver`.
            events: what it is told of from now on.
            progress_percent: as for `add_receiver`.

        Raises:
            InvalidInput: as `add_receiver`.
        """
        path = f"/v1/webhooks/receivers/{checked_id(receiver_id, 'receiver')}"
        given = {"url": url, "events": None if events is None else list(events)}
        try:
            change = ReceiverChange.model_validate({**given, "progress_percent": progress_percent})
        except ValidationError as error:
            refuse_fields(error)
        body = change.model_dump(mode="json", exclude_none=True)
        return await self._connection.ask(Receiver, "PATCH", path, again=True, json=body)

    async def remove_receiver(self, receiver_id: str) -> Receiver:
        """Tell one no more of jobs that name nobody. Needs the scope `admin`."""
        path = f"/v1/webhooks/receivers/{checked_id(receiver_id, 'receiver')}"
        return await self._connection.ask(Receiver, "DELETE", path, again=False)

    async def make_webhook_secret(self) -> MadeSecret:
        """Make a secret that signs webhooks; its `secret` is there this once. Needs the scope `admin`.

        For 24 hours the one before it signs as well.
        """
        return await self._connection.ask(MadeSecret, "POST", "/v1/webhooks/secrets", again=False)

    async def try_webhook(self, receiver: str) -> Delivery:
        """Send a test; what becomes of it is told by `delivery`.

        Args:
            receiver: a URL as for `add_receiver`, or the id of a receiver.

        Raises:
            InvalidInput: as `add_receiver`.
        """
        is_id = receiver.startswith("rcv_")
        body = {"receiver": receiver} if is_id else {"url": _notify(url=receiver).url}
        return await self._connection.ask(Delivery, "POST", "/v1/webhooks/test", again=False, json=body)

    async def deliveries(
        self, *, state: str | None = None, job_id: str | Job | None = None
    ) -> AsyncIterator[Delivery]:
        """What was and is to be sent, the newest first.

        Args:
            state: only these: `waiting`, `delivered` or `given_up`.
            job_id: only those of this job.
        """
        job = None if job_id is None else checked_id(job_id)
        asked: dict[str, Any] = {"limit": PAGE, "state": state, "job": job}
        query = {name: value for name, value in asked.items() if value is not None}
        while True:
            path = "/v1/webhooks/deliveries"
            page = await self._connection.ask(DeliveryPage, "GET", path, again=True, params=query)
            for delivery in page.deliveries:
                yield delivery
            if page.next is None:
                return
            query["cursor"] = page.next

    async def delivery(self, delivery_id: str) -> Delivery:
        """One delivery."""
        path = f"/v1/webhooks/deliveries/{checked_id(delivery_id, 'delivery')}"
        return await self._connection.ask(Delivery, "GET", path, again=True)

    async def redeliver(self, delivery_id: str) -> Delivery:
        """Have it be sent once more, under the same id; its receiver is enabled again."""
        path = f"/v1/webhooks/deliveries/{checked_id(delivery_id, 'delivery')}/redeliver"
        return await self._connection.ask(Delivery, "POST", path, again=True)
