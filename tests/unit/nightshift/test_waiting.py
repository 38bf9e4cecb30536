"""What a command says while it waits, when, and how often."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nightshift.client import Client
from nightshift.transports import at_once
from nightshift.waiting import Lookout, PartsWatch, say_if_slow, what_is_wrong
from nightshift.words.documents import Job
from nightshift.words.errors import NightshiftError
from nightshift.words.health import Readiness
from tests.support.answering_server import Answer, Received, serving

WELL = {"database": "ok", "schema": "ok", "store": "ok", "broker": "ok", "workers": 2, "sweepers": 1}


def job(final: int = 0, **fields: Any) -> Job:
    counts = {"total": 2, "succeeded": final, "queued": 2 - final}
    given = {
        "id": "job_1",
        "state": "running",
        "counts": counts,
        "created_at": "2026-11-26T00:00:00Z",
        **fields,
    }
    return Job.model_validate(given)


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ({"database": "full"}, "disk of the database is full"),
        ({"store": "full"}, "disk of the store is full"),
        ({"store": "down"}, "the store cannot be reached"),
        ({"schema": "outdated"}, "migrations"),
        ({"broker": "down", "workers": 0}, "broker does not answer"),
        ({"workers": 0}, "no worker has signed on"),
        ({"sweepers": 0}, "no sweeper"),
    ],
)
def test_what_readyz_knows_is_told(checks: dict[str, Any], words: str) -> None:
    assert words in (what_is_wrong(Readiness(status="degraded", checks={**WELL, **checks})) or "")
    assert what_is_wrong(Readiness(status="ready", checks=WELL)) is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def look(lookout: Lookout, client: Client, now: Job) -> None:
    """As `Client.poll` shows it each job."""
    if lookout.is_due(now):
        lookout.tell(now, client.readiness())


def test_a_job_that_gets_nowhere_is_explained_once_within_ten_seconds_and_given_up() -> None:
    checks = {**WELL, "workers": 0}

    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(503, {"status": "unavailable", "checks": checks})

    said: list[tuple[float, str]] = []
    clock = Clock()
    with serving(answer) as server, Client(server.url) as client:
        lookout = Lookout(lambda line: said.append((clock.now, line)), give_up_s=100, clock=clock)
        for clock.now in range(60):
            look(lookout, client, job())
        assert [at for at, _ in said] == [8]
        assert "no worker has signed on" in said[0][1]
        checks.update(workers=2, store="full")
        for clock.now in range(60, 99):
            look(lookout, client, job())
        assert len(said) == 2
        assert "disk of the store is full" in said[1][1]
        with pytest.raises(NightshiftError, match="disk of the store is full") as gave_up:
            for clock.now in range(99, 130):
                look(lookout, client, job())
        assert gave_up.value.code == "gave_up"


def test_who_has_started_the_workers_is_not_told_to_start_some() -> None:
    nobody = Readiness(status="degraded", checks={**WELL, "workers": 0})
    assert "`nightshift worker` starts some" in str(what_is_wrong(nobody))
    assert "`nightshift worker`" not in str(what_is_wrong(nobody, own_workers=True))


def test_a_job_that_gets_on_or_a_service_that_is_well_is_never_given_up() -> None:
    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(200, {"status": "ready", "checks": WELL})

    clock = Clock()
    said: list[str] = []
    with serving(answer) as server, Client(server.url) as client:
        lookout = Lookout(said.append, give_up_s=20, clock=clock)
        for clock.now in range(0, 200, 5):
            look(lookout, client, job())
        look(lookout, client, job(1))
        assert said == []
        look(lookout, client, job(1, state="paused"))
        clock.now += 60
        look(lookout, client, job(1, state="paused"))
        assert said == ["waiting: the job is paused"]


def test_a_job_that_is_to_wait_for_the_night_is_not_given_up_for_want_of_workers() -> None:
    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(200, {"status": "degraded", "checks": {**WELL, "workers": 0}})

    clock = Clock()
    tonight = datetime.now(UTC) + timedelta(hours=9)
    with serving(answer) as server, Client(server.url) as client:
        lookout = Lookout(lambda _line: None, give_up_s=20, clock=clock)
        for clock.now in range(0, 200, 5):
            look(lookout, client, job().model_copy(update={"waits_until": tonight}))


def test_how_long_nothing_moved_is_said_in_words() -> None:
    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(200, {"status": "degraded", "checks": {**WELL, "workers": 0}})

    clock = Clock()
    with serving(answer) as server, Client(server.url) as client:
        lookout = Lookout(lambda _line: None, give_up_s=20, clock=clock)
        with pytest.raises(NightshiftError, match=r"nothing has moved for \d+ seconds"):
            for clock.now in range(0, 200, 5):
                look(lookout, client, job())


def test_a_server_that_serves_says_what_breaks_and_that_it_is_over() -> None:
    checks = {**WELL, "workers": 0}

    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(200, {"status": "degraded", "checks": checks})

    clock = Clock()
    said: list[str] = []
    with serving(answer) as server, Client(server.url) as client:
        watch = PartsWatch(client, said.append, clock)
        for clock.now in range(0, 100, 5):
            watch.look()
        assert said == []
        checks["database"] = "full"
        for clock.now in range(100, 130, 5):
            watch.look()
        checks["database"] = "ok"
        for clock.now in range(130, 150, 5):
            watch.look()
    assert len(said) == 2
    assert "full" in said[0]
    assert said[1] == "every part answers again"


def test_an_answer_that_is_long_in_coming_is_told() -> None:
    def answer(_asked: Received, _number: int) -> Answer:
        time.sleep(0.5)
        return Answer(document={"id": "job_1", "state": "open", "created_at": "2026-11-26T00:00:00Z"})

    said: list[str] = []
    with serving(answer) as server, Client(server.url, say=said.append) as client:
        at_once(client.calls._connection.send("GET", "/v1/jobs/job_1", again=True, slow_after_s=0.05))
        at_once(client.calls._connection.send("GET", "/v1/jobs/job_1", again=True, slow_after_s=0.05))
        assert said == [f"still waiting for an answer from {server.url}"]


def test_what_is_slow_is_told_and_what_is_not_is_not() -> None:
    said: list[str] = []
    with say_if_slow("the other", said.append, after_s=30):
        pass
    with say_if_slow("this", said.append, after_s=0.01):
        time.sleep(0.3)
    assert said == ["still waiting for this"]
