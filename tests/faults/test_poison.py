"""Messages, keys and commands on the broker that nobody of ours sent: dropped, counted, and survived."""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery

from shared.broker.doorbell import QUEUE, TASK, CeleryDoorbell, broker_options
from shared.broker.rings import is_ring
from shared.processes.registry import total_sums
from tests.support.faults.runs import Run
from tests.support.processes import wait_for


def envelope(
    body: object = b"[[], {}, {}]", *, headers: dict[str, Any] | None = None, **changed: Any
) -> bytes:
    """A message as kombu writes it, with something changed."""
    encoded = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    message = {
        "body": encoded,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK, "id": "1", **(headers or {})},
        "properties": {
            "delivery_info": {"exchange": QUEUE, "routing_key": QUEUE},
            "delivery_tag": "x",
            "body_encoding": "base64",
        },
    }
    return json.dumps({**message, **changed}).encode()


class Bomb:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        raise_it: tuple[Any, ...] = (exec, ("raise SystemExit",))
        return raise_it


NO_TASKS: tuple[Any, ...] = (None, 7, [], {}, "")
NO_HEADERS: tuple[Any, ...] = (None, [], "x", {})
NO_PROPERTIES: tuple[Any, ...] = (None, [], {}, {"body_encoding": "hex"})
NO_TYPES: tuple[dict[str, Any], ...] = (
    {"content-type": "application/x-yaml"},
    {"content-type": None},
)
PICKLE: dict[str, Any] = {"content-type": "application/x-python-serialize"}
POISON = [
    *(b"\x00 no JSON", b"", b" ", b"{", b"{}", b"[]", b"null", b"true", b"1", b'"x"', b"\xff\xfe", b"NaN"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b"x" * 900_000, json.dumps({"body": "x" * 900_000}).encode()),
    *(
        envelope("%%% no base64"),
        envelope(7),
        envelope(None),
        envelope([]),
        envelope(b"\xff"),
        envelope(b"{"),
    ),
    *(
        envelope(b"[[], {}]"),
        envelope(b'[["job_0"], {}, {}]'),
        envelope(b'[[], {"a": 1}, {}]'),
        envelope(b"[]"),
    ),
    envelope(pickle.dumps(Bomb()), **PICKLE),
    *(envelope(**changed) for changed in NO_TYPES),
    envelope(headers={"task": "no.such.task"}),
    *(
        envelope(headers={"task": f"celery.{name}"})
        for name in ("chord", "chain", "group", "backend_cleanup", "map")
    ),
    *(envelope(headers={"task": task}) for task in NO_TASKS),
    *(json.dumps({**json.loads(envelope()), "headers": odd}).encode() for odd in NO_HEADERS),
    *(envelope(properties=properties) for properties in NO_PROPERTIES),
    json.dumps({"task": TASK, "id": "1", "args": [], "kwargs": {}}).encode(),
    pickle.dumps({"task": TASK}),
]
"""No JSON, no envelope, other codecs, other tasks, other arguments, and far too much of anything."""

MISUSED = [
    envelope(headers={"eta": "2099-01-01T00:00:00Z"}),
    envelope(headers={"expires": "1999-01-01T00:00:00Z"}),
    envelope(headers={"timelimit": [0.001, 0.001]}),
    envelope(headers={"retries": "x", "id": None, "lang": "java", "eta": 7, "group": {}}),
    envelope(
        b'[[], {}, {"callbacks": [{"task": "celery.chain"}], "chain": [{}], "errbacks": 1, "chord": 2}]'
    ),
]
"""Rings with wishes of their own."""


@pytest.mark.parametrize("message", POISON)
def test_no_ring(message: bytes) -> None:
    assert not is_ring(message)


@pytest.mark.parametrize("message", MISUSED)
def test_a_ring_is_a_ring_whatever_it_wishes(message: bytes) -> None:
    assert is_ring(message)


def dropped(run: Run) -> int:
    with run.cluster.database.read() as session:
        return int(total_sums(session).get("counters", {}).get("messages_dropped", 0))


def test_poison_is_dropped_counted_and_survived(run: Run) -> None:
    run.start_workers("one")
    process = run.cluster.processes["one"]
    run.submit(40)
    run.end(crashed=0)
    broker = run.cluster.broker()
    for message in POISON + MISUSED:
        broker.lpush(QUEUE, message)
    wait_for(lambda: broker.llen(QUEUE) == 0, "every message to be read")
    run.submit(20, prefix="again ")
    run.end(crashed=0)
    CeleryDoorbell(run.cluster.settings.broker_url).ring()
    wait_for(lambda: dropped(run) == len(POISON), f"{len(POISON)} messages to be counted")
    assert run.cluster.processes["one"] is process
    assert process.poll() is None
    assert "\x00" not in run.cluster.log("one")


def test_keys_of_another_kind_are_put_away(run: Run) -> None:
    run.start_workers("one")
    process = run.cluster.processes["one"]
    broker = run.cluster.broker()
    doorbell = CeleryDoorbell(run.cluster.settings.broker_url)
    spoil: dict[str, Callable[[str], object]] = {
        "string": lambda key: broker.set(key, "x"),
        "set": lambda key: broker.sadd(key, "x", "a\x06\x16b", "\x06\x16\x06\x16elsewhere"),
        "stream": lambda key: broker.xadd(key, {"x": "y"}),
    }
    for kind, write in spoil.items():
        for key in (QUEUE, f"{QUEUE}\x06\x163", "unacked", "unacked_index", f"_kombu.binding.{QUEUE}"):
            broker.delete(key)
            write(key)
        assert doorbell.waiting() is not None, kind
        assert doorbell.ring(), kind
        run.submit(10, prefix=kind)
        run.end(crashed=0)
    assert process.poll() is None
    # Who starts now finds the same.
    spoil["string"](QUEUE)
    run.start_workers("two")
    run.submit(10, prefix="more")
    run.end(crashed=0)


def test_nobody_is_steered_by_a_message(run: Run) -> None:
    run.start_workers("one")
    process = run.cluster.processes["one"]
    run.submit(10)
    run.end(crashed=0)
    app = Celery(set_as_current=False)
    app.conf.update(broker_options(run.cluster.settings.broker_url))
    for command, arguments in (
        ("shutdown", {}),
        ("pool_shrink", {"n": 1}),
        ("pool_restart", {}),
        ("rate_limit", {"task_name": TASK, "rate_limit": "1/h"}),
        ("time_limit", {"task_name": TASK, "soft": 0.001, "hard": 0.001}),
        ("cancel_consumer", {"queue": QUEUE}),
        ("revoke", {"task_id": "1", "terminate": True}),
    ):
        app.control.broadcast(command, arguments=arguments)
    assert app.control.ping(timeout=2) == []
    time.sleep(2)
    run.submit(20, prefix="again ")
    run.end(crashed=0)
    assert process.poll() is None
    assert run.cluster.broker().pubsub_numpat() == 0
