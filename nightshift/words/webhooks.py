"""Who is told of what, by webhook or by a message: what may be wished, and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field, model_validator

from nightshift.words.body import Body, Text
from nightshift.words.document import Document, Known
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput

JobEvent = Literal["job.ended", "job.failed_early", "job.progress", "job.expiring"]
TEST = "webhook.test"
"""The event of a delivery that is asked for, of no job."""
URL_LIMIT = 2000
MOST_RECEIVERS = 5
"""Of one job, and of all jobs of an owner."""
SCHEMES = (
    *("discord", "gchat", "gotifys", "mailtos", "matrixs", "mmosts", "nctalks", "ntfys", "pover"),
    *("rockets", "signals", "slack", "tgram", "wxteams", "zulip"),
)
"""Of Apprise's, those that a message may be sent by: over TLS alone, and none that is there to run a program,
to write a file or to speak to this machine."""
HIDDEN = "***"


def is_message(url: str) -> bool:
    """Whether what is sent there is a message to people, by Apprise, and no webhook."""
    return _scheme(url) in SCHEMES


def shown_url(url: str) -> str:
    """A receiver's URL as it may be shown: of a message's, which is all secrets, the kind alone."""
    return f"{_scheme(url)}://{HIDDEN}" if is_message(url) else url


def malformed(url: str) -> InvalidInput:
    """What is said of a message's URL that lacks something, or that nobody understands; without the URL."""
    message = f"this {_scheme(url)}:// URL is none that a message can be sent to"
    return InvalidInput(Code.NOTIFY_URL_MALFORMED, message)


def check_receiver(url: str) -> str:
    """A URL that webhooks or messages may be sent to, as far as it can be told from its letters.

    Raises:
        InvalidInput: `notify_scheme_unknown`, `notify_url_malformed`.
        ValueError: a webhook's is not of `https`, has no host, or holds a password, a fragment or what is no
            ASCII.
    """
    if is_message(url):
        return _checked_message(url)
    scheme = _scheme(url)
    if scheme not in {"", "http", "https"} and scheme.isalnum():
        message = f"word cannot be sent by {scheme[:20]}://, but by https and {', '.join(SCHEMES)}"
        raise InvalidInput(Code.NOTIFY_SCHEME_UNKNOWN, message)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("must be a URL in ASCII: names and paths in other letters are encoded")
    try:
        parts = urlsplit(url)
        # As what sends it reads it.
        host, port = httpx.URL(url).host, parts.port
    except (ValueError, httpx.InvalidURL) as error:
        raise ValueError(f"is no URL: {error}") from error
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    if not host or port == 0:
        raise ValueError("names no host, or no port")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user and no password: deliveries are signed")
    if "#" in url:
        raise ValueError("must have no fragment")
    return url


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found else ""


def _checked_message(url: str) -> str:
    rest = url.partition("://")[2]
    if rest.startswith(HIDDEN):
        message = f"{shown_url(url)} is how a URL is shown; it has to be given whole"
        raise InvalidInput(Code.NOTIFY_URL_MALFORMED, message)
    try:
        urlsplit(url)
    except ValueError as error:
        raise malformed(url) from error
    # A database's index has room for so many bytes, and letters have up to four.
    is_long = len(url.encode()) > URL_LIMIT
    if is_long or not url.isprintable() or " " in url or not rest.strip("/"):
        raise malformed(url)
    return url


ReceiverUrl = Annotated[Text, AfterValidator(check_receiver)]
ShownUrl = Annotated[str, AfterValidator(shown_url)]
_GIVEN = (
    "Where to: `https://` for a webhook, or an Apprise URL for a message to people:"
    f" {', '.join(f'`{scheme}://`' for scheme in SCHEMES)}."
)
_SHOWN = "Of a message's URL, which holds secrets, the kind alone: `mailtos://***`."


class Notify(Body):
    """One receiver, and what it is told."""

    url: ReceiverUrl = Field(max_length=URL_LIMIT, description=_GIVEN)
    events: list[JobEvent] = Field(
        default_factory=lambda: list[JobEvent](["job.ended"]),
        min_length=1,
        max_length=10,
        description="`job.ended`; `job.failed_early`: more failed than `max_failure_rate` allows;"
        " `job.progress`; `job.expiring`: a day before it is erased.",
    )
    progress_percent: int = Field(
        10, ge=1, le=100, description="`job.progress` comes each time so many per cent more are final."
    )


class ReceiverChange(Body):
    """What is to be otherwise of a receiver from now on; what is not named stays."""

    url: ReceiverUrl | None = Field(None, max_length=URL_LIMIT, description=_GIVEN)
    events: list[JobEvent] | None = Field(
        None, min_length=1, max_length=10, description="What it is told of, as in `notify`."
    )
    progress_percent: int | None = Field(None, ge=1, le=100, description="As in `notify`.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("must name what to change")
        return self


def distinct(receivers: list[Notify]) -> list[Notify]:
    """Receivers, each named once.

    Raises:
        ValueError: a URL is there twice.
    """
    if len({each.url for each in receivers}) < len(receivers):
        raise ValueError("names a URL twice")
    return receivers


class Notified(Document):
    """One receiver of a job's events, and what it is told."""

    url: ShownUrl = Field(description=_SHOWN)
    events: list[Known[JobEvent]]
    progress_percent: int = 10


class Receiver(Document):
    """A receiver of its owner's."""

    id: str = Field("", description="`rcv_` and 32 hex digits.")
    url: ShownUrl = Field(description=_SHOWN)
    notify: Notified | None = Field(
        None, description="What it is told of jobs that name no receivers; null: nothing but by jobs."
    )
    disabled_at: datetime | None = Field(
        None, description="When it answered 410: nothing is sent there until a test or a redelivery is asked."
    )


class Secret(Document):
    """A secret that deliveries are signed with, without the secret."""

    id: str = Field(description="`whs_` and 32 hex digits.")
    created_at: datetime
    expires_at: datetime | None = Field(
        None, description="Until then it signs beside the newer one; null for the newest."
    )


class MadeSecret(Secret):
    """A secret that has just been made."""

    secret: str = Field(description="`whsec_` and base64. It cannot be shown again.")


class Webhooks(Document):
    """An owner's receivers, and the secrets that sign what they get, the newest first."""

    receivers: list[Receiver]
    secrets: list[Secret]


class Delivery(Document):
    """An event for one receiver."""

    id: str = Field(description="`evt_` and 32 hex digits; the header `webhook-id` of every attempt.")
    event: Known[Literal["job.ended", "job.failed_early", "job.progress", "job.expiring", "webhook.test"]]
    job_id: str | None = Field(None, description="Null for a test.")
    url: ShownUrl = Field(description=_SHOWN)
    created_at: datetime
    state: Known[Literal["waiting", "delivered", "given_up"]]
    attempts: int = Field(0, description="Begun so far.")
    attempted_at: datetime | None = Field(None, description="When the last one ended.")
    next_at: datetime | None = Field(None, description="When it is tried again; null: not any more.")
    status: int | None = Field(None, description="HTTP status of the last answer; null without one.")
    answer: str | None = Field(None, description="Beginning of the last answer, as text.")
    problem: str | None = Field(None, description="Why the last attempt did not do; null when it did.")


class DeliveryPage(Document):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
    next: str | None = Field(None, description="`cursor` of the next page; null on the last.")
