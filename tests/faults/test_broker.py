"""A broker that dies, forgets, hangs, is full; messages that nobody sent."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from shared.broker.doorbell import QUEUE, CeleryDoorbell
from tests.support.faults.runs import Run
from tests.support.processes import wait_for


@pytest.mark.parametrize("seconds", [0, pytest.param(60, marks=pytest.mark.soak)])
def test_a_broker_killed_and_restarted(run: Run, seconds: int) -> None:
    run.start_workers("one", "two", NIGHTSHIFT_SLICE_S="1")
    run.submit(300)
    run.wait_for_final(8)
    with run.fault(f"broker gone for {seconds} s" if seconds else "broker killed"):
        run.cluster.kill("broker")
        time.sleep(seconds)
        run.cluster.start_broker()
    run.end(crashed=0)


def test_a_broker_that_forgets(run: Run) -> None:
    run.start_workers("one", NIGHTSHIFT_SLICE_S="1")
    run.submit(200)
    run.wait_for_final(8)
    for _ in range(3):
        with run.fault("broker emptied"):
            run.cluster.broker().flushall()
    run.end(crashed=0)


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_a_broker_that_hangs(run: Run, seconds: int) -> None:
    run.start_workers("one", NIGHTSHIFT_SLICE_S="1")
    run.submit(200)
    run.wait_for_final(8)
    with run.fault(f"broker hangs for {seconds} s"):
        os.killpg(run.cluster.processes["broker"].pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.killpg(run.cluster.processes["broker"].pid, signal.SIGCONT)
    run.end(crashed=0)


@pytest.mark.soak
def test_a_broker_that_is_full(run: Run) -> None:
    run.start_workers("one", NIGHTSHIFT_SLICE_S="1")
    run.submit(150)
    run.wait_for_final(8)
    with run.fault("broker out of memory"):
        run.cluster.broker().config_set("maxmemory", "1")
        time.sleep(3)
        run.cluster.broker().config_set("maxmemory", "0")
    run.end(crashed=0)


def test_rings_by_the_hundred_and_messages_nobody_sent(run: Run) -> None:
    run.start_workers("one", "two")
    doorbell = CeleryDoorbell(run.cluster.settings.broker_url)
    with run.fault("hundreds of rings and malformed messages"):
        run.submit(150)
        for _ in range(10):
            doorbell.ring(32)
        for message in malformed():
            run.cluster.broker().lpush(QUEUE, message)
    run.end(crashed=0)

    def all_are_read() -> bool:
        run.restart_ended()
        return run.cluster.broker().llen(QUEUE) == 0

    wait_for(all_are_read, "every message to be read")
    with run.fault("malformed messages, read"):
        run.submit(20, prefix="again ")
    run.end(crashed=0)


def malformed() -> list[bytes]:
    """What a queue may hold that is no ring of ours."""
    body = {"body": "W10=", "content-encoding": "utf-8", "content-type": "application/json"}
    properties = {"delivery_info": {}, "delivery_tag": "x", "body_encoding": "base64"}
    unknown = {**body, "headers": {"task": "no.such.task", "id": "1"}, "properties": properties}
    odd = {**body, "headers": {"task": "nightshift.run_slice", "id": "2"}, "properties": properties}
    # Arguments that the task does not take: ids of jobs that do not exist.
    odd["body"] = "W1siam9iXzAiXSwge30sIHt9XQ=="
    return [json.dumps(unknown).encode(), json.dumps(odd).encode(), b"\x00 no JSON", b"{}", b"[]"]
