"""`/v1/webhooks`: who is told of jobs, the secrets that sign it, and what became of each delivery."""

from __future__ import annotations

import hashlib
from typing import Annotated, Self

from flask import Response, request
from pydantic import AfterValidator, BaseModel, Field, model_validator

from api.answers import answer, answer_page
from api.context import context
from api.description import WEBHOOKS_TAG, answers, blueprint_of
from api.parameters import IfMatchHeader, PageQuery, id_of
from nightshift.words import webhooks as words
from nightshift.words.body import Body, Text
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict
from shared.operations import webhooks
from shared.reads.shown import shown

blueprint = blueprint_of("webhooks", WEBHOOKS_TAG, "/v1/webhooks")

_State = Annotated[str, Field(pattern="^(waiting|delivered|given_up)$")]


class DeliveryPath(BaseModel):
    """Names a delivery."""

    delivery_id: Annotated[str, id_of("delivery", "evt", Code.DELIVERY_NOT_FOUND)] = Field(
        description="`evt_` and 32 hex digits."
    )


class ReceiverPath(BaseModel):
    """Names a receiver."""

    receiver_id: Annotated[str, id_of("receiver", "rcv", Code.RECEIVER_NOT_FOUND)] = Field(
        description="`rcv_` and 32 hex digits."
    )


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    state: _State | None = Field(None, description="Only these: `waiting`, `delivered` or `given_up`.")
    job: Text | None = Field(None, description="Only those of this job.")


class Receivers(Body):
    """Who is told of jobs that name nobody."""

    notify: Annotated[list[words.Notify], AfterValidator(words.distinct)] = Field(
        max_length=words.MOST_RECEIVERS
    )


class Tried(Body):
    """Where a test is to be sent: to one of these."""

    url: words.ReceiverUrl | None = Field(
        None, max_length=words.URL_LIMIT, description="A URL, as in `notify`."
    )
    receiver: Text | None = Field(None, description="A receiver of yours, by its id.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.url is None) == (self.receiver is None):
            raise ValueError("must name url or receiver, and not both")
        return self


@blueprint.get("", responses=answers({200: words.Webhooks}))
def get_webhooks() -> Response:
    """Show one's receivers and secrets"""
    with context().database.read() as session:
        return answer(webhooks.webhooks_of(session, context().owner))


@blueprint.put("", responses=answers({200: words.Webhooks}, 409, 413, 415))
def set_webhooks(body: Receivers) -> Response:
    """Say who is told of jobs that name nobody

    It replaces what was said before, and enables those that had been disabled. Needs the scope `admin`.
    """
    service = context()
    webhooks.check_receivers(service.settings, (each.url for each in body.notify))
    with service.database.write() as session:
        webhooks.set_receivers(session, service.owner, body.notify)
        return answer(webhooks.webhooks_of(session, service.owner))


@blueprint.post("/receivers", responses=answers({201: words.Receiver}, 409, 413, 415))
def add_receiver(body: words.Notify) -> Response:
    """Have one more be told of jobs that name nobody

    What its URL was told before is replaced, and it is enabled. Needs the scope `admin`.
    """
    service = context()
    webhooks.check_receivers(service.settings, [body.url])
    with service.database.write() as session:
        view = shown(words.Receiver, webhooks.add_receiver(session, service.owner, body))
    return answer(view, 201)


@blueprint.get("/receivers/<receiver_id>", responses=answers({200: words.Receiver}, 404))
def get_receiver(path: ReceiverPath) -> Response:
    """Show one of one's receivers, with its ETag"""
    with context().database.read() as session:
        row = webhooks.receiver_of(session, context().owner, path.receiver_id)
        return _answered(shown(words.Receiver, row))


@blueprint.patch(
    "/receivers/<receiver_id>", responses=answers({200: words.Receiver}, 404, 409, 412, 413, 415)
)
def change_receiver(path: ReceiverPath, header: IfMatchHeader, body: words.ReceiverChange) -> Response:
    """Change where, or of what, one is told of jobs that name nobody

    What is not named stays, and it is enabled. What waits for it still goes to where it was. With `If-Match`,
    412 where it has another ETag by now: somebody else has changed it. Needs the scope `admin`.
    """
    service = context()
    if body.url is not None:
        webhooks.check_receivers(service.settings, [body.url])
    with service.database.write() as session:
        if header.etag is not None:
            known = shown(words.Receiver, webhooks.receiver_of(session, service.owner, path.receiver_id))
            _require_as_known(known)
        row = webhooks.change_receiver(session, service.owner, path.receiver_id, body)
        view = shown(words.Receiver, row)
    return _answered(view)


@blueprint.delete("/receivers/<receiver_id>", responses=answers({200: words.Receiver}, 404))
def remove_receiver(path: ReceiverPath) -> Response:
    """Tell one no more of jobs that name nobody

    What waits for it still goes out. One that has answered 410 stays in the list, told of nothing, until it
    is removed once more: jobs may name it. Needs the scope `admin`.
    """
    with context().database.write() as session:
        view = webhooks.remove_receiver(session, context().owner, path.receiver_id)
    return answer(view)


@blueprint.post("/secrets", responses=answers({201: words.MadeSecret}))
def make_webhook_secret() -> Response:
    """Make a secret, or another in its place

    The answer shows it, this once. For 24 hours deliveries are signed with the one before as well. Needs the
    scope `admin`.
    """
    with context().database.write() as session:
        row = webhooks.make_secret(session, context().owner)
        view = shown(words.MadeSecret, row)
    return answer(view, 201, {"Cache-Control": "no-store"})


@blueprint.get("/deliveries", responses=answers({200: words.DeliveryPage}))
def list_deliveries(query: DeliveriesQuery) -> Response:
    """List deliveries, the newest first

    The `Link` header leads to the next page.
    """
    with context().database.read() as session:
        page = webhooks.deliveries_of(
            session,
            context().owner,
            state=query.state,
            job_id=query.job,
            cursor=query.cursor,
            limit=query.limit,
        )
    return answer_page(page, page.next)


@blueprint.get("/deliveries/<delivery_id>", responses=answers({200: words.Delivery}, 404))
def get_delivery(path: DeliveryPath) -> Response:
    """Show a delivery"""
    with context().database.read() as session:
        row = webhooks.delivery_of(session, context().owner, path.delivery_id)
        return answer(shown(words.Delivery, row))


@blueprint.post("/deliveries/<delivery_id>/redeliver", responses=answers({202: words.Delivery}, 404))
def redeliver(path: DeliveryPath) -> Response:
    """Send a delivery once more, under the same id; its receiver is enabled again"""
    with context().database.write() as session:
        view = shown(words.Delivery, webhooks.redeliver(session, context().owner, path.delivery_id))
    return answer(view, 202)


@blueprint.post("/test", responses=answers({202: words.Delivery}, 404, 409, 413, 415))
def try_webhook(body: Tried) -> Response:
    """Send a `webhook.test` to a URL, or a receiver; what becomes of it is among the deliveries"""
    service = context()
    if body.url is not None:
        webhooks.check_receivers(service.settings, [body.url])
    with service.database.write() as session:
        url = body.url or webhooks.receiver_of(session, service.owner, body.receiver or "").url
        view = shown(words.Delivery, webhooks.try_receiver(session, service.owner, url))
    return answer(view, 202)


def _etag_of(receiver: words.Receiver) -> str:
    """Changes with all that is shown of it."""
    return hashlib.sha256(receiver.model_dump_json().encode()).hexdigest()[:24]


def _answered(receiver: words.Receiver) -> Response:
    response = answer(receiver)
    response.set_etag(_etag_of(receiver))
    return response


def _require_as_known(receiver: words.Receiver) -> None:
    if not request.if_match.contains(_etag_of(receiver)):
        message = f"receiver {receiver.id} has changed since: it has another ETag than If-Match names"
        raise Conflict(Code.PRECONDITION_FAILED, message)
