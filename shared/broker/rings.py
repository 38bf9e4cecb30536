"""The broker as this service uses it: one list of rings. Whatever else is on it is no reason to end.

Every ring is the same, so nothing of a message is used but that it is one: what comes off the list is looked
at, and a fresh ring is handed on in its place, or nothing. So no message names another task, a time, a
callback or a codec. There are no acknowledgements (a lost ring is rung again), no bindings and no commands.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar, cast

import redis
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombus

TASK = "nightshift.run_slice"
QUEUE = "nightshift"
LARGEST_RING_BYTES = 4096
"""A ring has about 1 kB."""
SAY_EVERY_S = 10.0

T = TypeVar("T")


Counts = list[int] | memoryview

log = logging.getLogger(__name__)

_counts: Counts = [0, 0]
"""Messages that were dropped, and how many of them somebody has been told of."""
_said_at_s = float("-inf")


def count_in(counts: Counts) -> None:
    """Count in numbers that others see: a worker's children tell the database what their parent dropped."""
    global _counts
    _counts = counts


def take_dropped() -> int:
    """Messages that were dropped since this was asked last."""
    count = _counts[0] - _counts[1]
    _counts[1] += count
    return count


def is_ring(message: bytes) -> bool:
    """Whether this is what `CeleryDoorbell` sends: the one task, without arguments."""
    if len(message) > LARGEST_RING_BYTES:
        return False
    try:
        document = json.loads(message)
        arguments, named, _ = json.loads(base64.b64decode(document["body"], validate=True))
        about = (
            document["headers"]["task"],
            document["content-type"],
            document["properties"]["body_encoding"],
        )
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        return False
    return about == (TASK, "application/json", "base64") and arguments == [] and named == {}


def fresh_ring() -> bytes:
    """A message that says what every ring says."""
    task_id = str(uuid.uuid4())
    nothing = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    message = {
        "body": base64.b64encode(json.dumps([[], {}, nothing]).encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": task_id, "root_id": task_id, "parent_id": None},
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": QUEUE, "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return json.dumps(message).encode()


def _drop(what: str) -> None:
    global _said_at_s
    _counts[0] += 1
    if time.monotonic() - _said_at_s >= SAY_EVERY_S:
        _said_at_s = time.monotonic()
        log.warning("dropped what is no ring", extra={"what": what})


class _Client(redis.Redis):
    """Takes rings off the list, and leaves out what is none."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """See redis-py; of BRPOP, None where nothing of ours came."""
        if command_name != "BRPOP":
            return super().parse_response(connection, command_name, **options)
        try:
            reply = super().parse_response(connection, command_name, **options)
        except redis.ResponseError as error:
            if not _is_wrong_type(error):
                raise
            clear_strangers(redis.Redis(connection_pool=self.connection_pool))
            return None
        if not reply:
            return reply
        key, message = reply
        if not is_ring(message):
            _drop(f"message of {len(message)} bytes: {message[:80]!r}")
            return None
        return key, fresh_ring()


class Channel(kombus.Channel):
    """Kombu's, with one queue that is always there."""

    def _get_client(self) -> type[redis.Redis]:
        super()._get_client()
        return _Client

    def _queue_bind(self, *_: object) -> None:
        # Everybody knows the queue: no table of bindings, into which others could write.
        return

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:  # noqa: ARG002 - kombu's signature
        """The one binding there is."""
        return [(QUEUE, "", QUEUE)]

    def _put(self, queue: str, message: object, **options: Any) -> None:
        self._on_lists(lambda: super(Channel, self)._put(queue, message, **options))

    def _size(self, queue: str) -> int:
        return self._on_lists(lambda: cast(int, super(Channel, self)._size(queue)))

    def rings(self) -> int:
        """Messages that nobody has taken yet."""
        return self._size(QUEUE)

    def _on_lists(self, do: Callable[[], T]) -> T:
        try:
            return do()
        except redis.ResponseError as error:
            if not _is_wrong_type(error):
                raise
        with self.conn_or_acquire() as client:
            clear_strangers(client)
        return do()


class Transport(kombus.Transport):
    """Kombu's, with our channel."""

    Channel = Channel


def clear_strangers(client: Any) -> None:
    """Delete what lies under the queue's names and is no list: nobody could ring."""
    for key in (QUEUE, *(f"{QUEUE}{Channel.sep}{step}" for step in Channel.priority_steps[1:])):
        if client.type(key) not in {b"list", b"none"}:
            client.delete(key)
            _drop(f"the key {key}, which was no list")


def _is_wrong_type(error: redis.ResponseError) -> bool:
    # Of a pipeline it says first which command it was.
    return "WRONGTYPE" in str(error)


def use_it() -> None:
    """Have kombu speak to Redis and Valkey in this way, in this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
