"""Webhooks over real sockets: receivers that are killed, slow or lying get each event at least once."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from nightshift.words.webhooks import Notify
from shared.db.engine import Database
from shared.db.tables import Delivery, Job, Receiver
from shared.operations import webhooks
from shared.settings import REPOSITORY, Settings
from tests.support.fakes import FakeDoorbell
from tests.support.processes import wait_for
from tests.support.queue_rows import queue_of, queued_job, save_all, take
from tests.support.receivers import answering, make_certificate, receiving
from worker import sending
from worker.deliveries import Deliveries
from worker.sweeper import Sweeper

NEAR = "127.0.0.0/8,::1/128"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def secret(database: Database) -> str:
    with database.write() as session:
        return webhooks.make_secret(session, "local").secret


@pytest.fixture
def deliveries(database: Database, trusted: Path, tmp_path: Path) -> Deliveries:
    return Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs=NEAR))


def _asked(database: Database, *urls: str) -> None:
    for url in urls:
        with database.write() as session:
            webhooks.try_receiver(session, "local", url)


def _done(database: Database, deliveries: Deliveries) -> list[Delivery]:
    """Send what is due, and what came of it, as it was asked for."""
    deliveries.send_due()
    wait_for(lambda: deliveries.under_way == 0, "every attempt ended")
    return _rows(database)


def _rows(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))


def _now_due(database: Database) -> None:
    """The pause is over."""
    with database.write() as session:
        session.execute(update(Delivery).where(Delivery.next_at.is_not(None)).values(next_at=session.now))


def test_it_is_signed_and_taken(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    with receiving(trusted, answering(200, b"thanks")) as receiver:
        _asked(database, receiver.url)
        (row,) = _done(database, deliveries)
    assert (row.state, row.status, row.answer, row.attempts) == ("delivered", 200, "thanks", 1)
    (got,) = receiver.got
    assert got.id == row.id
    assert got.verified(secret)["type"] == "webhook.test"
    assert got.headers["host"] == receiver.url.split("/")[2]
    assert receiver.names == ["localhost"]


def test_after_a_rotation_both_secrets_sign(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    with database.write() as session:
        newer = webhooks.make_secret(session, "local").secret
    with receiving(trusted) as receiver:
        _asked(database, receiver.url)
        _done(database, deliveries)
    for each in (secret, newer):
        assert receiver.got[0].verified(each)["type"] == "webhook.test"


def test_a_receiver_that_is_killed_gets_it_when_it_is_back(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    def die(connection: ssl.SSLSocket, _: int) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with receiving(trusted, die) as receiver:
        _asked(database, receiver.url)
        (row,) = _done(database, deliveries)
        assert (row.state, row.status) == ("waiting", None)
    port = int(receiver.url.split(":")[2].split("/")[0])
    _now_due(database)
    (row,) = _done(database, deliveries)
    assert (row.state, row.attempts) == ("waiting", 2)
    assert row.problem is not None
    assert row.problem.startswith("no answer")
    with receiving(trusted, port=port) as back:
        _now_due(database)
        (row,) = _done(database, deliveries)
    assert (row.state, row.attempts) == ("delivered", 3)
    first, last = receiver.got[0], back.got[0]
    assert (first.id, first.body) == (last.id, last.body)
    assert last.verified(secret) == first.verified(secret)


def test_of_several_addresses_the_one_that_is_there_is_spoken_to(
    database: Database,
    secret: str,
    deliveries: Deliveries,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiving(trusted) as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (3, 2, 1)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        _asked(database, receiver.url)
        (row,) = _done(database, deliveries)
    assert (row.state, row.attempts, row.problem) == ("delivered", 1, None)
    assert [got.id for got in receiver.got] == [row.id]


def _trickle(connection: ssl.SSLSocket, _: int) -> None:
    """A byte now and then, for ever: each is in time, and all together never."""
    try:
        for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 10_000:
            connection.sendall(bytes([letter]))
            time.sleep(0.1)
    except OSError:
        pass


def _flood(connection: ssl.SSLSocket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
    try:
        while True:
            connection.sendall(b"x" * 65536)
    except OSError:
        pass


@pytest.mark.parametrize(
    ("behave", "status", "problem"),
    [
        (_trickle, None, "no whole answer within 1 s"),
        (lambda *_: time.sleep(3), None, "no whole answer within 1 s"),
        (lambda connection, _: connection.sendall(b"\x00nonsense\r\n\r\n"), None, "no answer: "),
        (answering(302, Location="http://169.254.169.254/"), 302, "a redirect, which is not followed"),
        (answering(500, b"\xff\x00oops"), 500, "it answered 500"),
        (answering(404), 404, "it answered 404"),
    ],
)
def test_a_receiver_that_is_slow_or_lies_is_tried_again(
    behave: object,
    status: int | None,
    problem: str,
    database: Database,
    secret: str,
    deliveries: Deliveries,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "ATTEMPT_S", 1.0)
    with receiving(trusted, behave) as receiver:  # type: ignore[arg-type]
        _asked(database, receiver.url)
        (row,) = _done(database, deliveries)
        assert (row.state, row.status) == ("waiting", status)
        assert problem in (row.problem or "")
        receiver.behave = answering(204)
        monkeypatch.setattr(sending, "ATTEMPT_S", 15.0)
        _now_due(database)
        (row,) = _done(database, deliveries)
    assert (row.state, row.attempts, row.problem) == ("delivered", 2, None)
    assert len({got.body for got in receiver.got}) == 1
    assert all(got.verified(secret) for got in receiver.got)


@pytest.mark.parametrize("url", ["https://xn--/", "https://[::1]x/", "https://a\\[::1]/"])
def test_a_url_that_nobody_can_send_to_is_no_fault_of_ours(
    url: str, database: Database, secret: str, deliveries: Deliveries
) -> None:
    _asked(database, url)
    (row,) = _done(database, deliveries)
    assert row.state == "waiting"
    assert (row.problem or "").startswith("its URL is none")


def test_of_a_flood_only_the_beginning_is_read(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    with receiving(trusted, _flood) as receiver:
        _asked(database, receiver.url)
        (row,) = _done(database, deliveries)
    assert (row.state, len(row.answer or "")) == ("delivered", sending.SHOWN_CHARACTERS)


def test_410_ends_it_for_every_event_until_somebody_asks(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    with receiving(trusted, answering(410)) as receiver:
        for _ in range(4):
            _asked(database, receiver.url)
        rows = _done(database, deliveries)
        assert {row.state for row in rows} == {"given_up"}
        assert len(receiver.got) <= 2
        with database.read() as session:
            assert session.get_one(Receiver, ("local", receiver.url)).disabled_at is not None
        job_id = queued_job(database, 1)
        _ended(database, job_id, receiver.url)
        assert len(_rows(database)) == 4
        receiver.behave = answering(204)
        _asked(database, receiver.url)
        assert _done(database, deliveries)[-1].state == "delivered"
        with database.read() as session:
            assert session.get_one(Receiver, ("local", receiver.url)).disabled_at is None


def test_a_receiver_that_is_removed_is_gone_for_jobs_that_name_it(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    with receiving(trusted, answering(410)) as receiver:
        with database.write() as session:
            row = webhooks.add_receiver(session, "local", Notify(url=receiver.url))
        job_id = queued_job(database, 1)
        _ended(database, job_id, receiver.url)
        assert [row.state for row in _done(database, deliveries)] == ["given_up"]
        with database.write() as session:
            webhooks.remove_receiver(session, "local", row.id)
            (left,) = webhooks.webhooks_of(session, "local").receivers
        assert (left.id, left.notify, left.disabled_at is None) == (row.id, None, False)
        _ended(database, queued_job(database, 1), receiver.url)
        assert len(_rows(database)) == 1
        with database.write() as session:
            webhooks.remove_receiver(session, "local", row.id)
            assert webhooks.webhooks_of(session, "local").receivers == []
        _ended(database, queued_job(database, 1), receiver.url)
        assert len(_rows(database)) == 2


def _ended(database: Database, job_id: str, url: str) -> None:
    with database.write() as session:
        notify = [{"url": url, "events": ["job.ended"], "progress_percent": 10}]
        session.execute(update(Job).where(Job.id == job_id).values(notify=notify))
    held = take(database)
    assert held is not None
    save_all(database, held)
    queue_of(database).finish(job_id)


def test_the_trace_of_the_job_is_carried_on(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path
) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with receiving(trusted) as receiver:
        job_id = queued_job(database, 1)
        with database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(traceparent=traceparent))
        _ended(database, job_id, receiver.url)
        _done(database, deliveries)
        _asked(database, receiver.url)
        _done(database, deliveries)
    of_job, of_test = receiver.got
    assert of_job.headers["traceparent"] == of_job.verified(secret)["data"]["traceparent"] == traceparent
    assert "traceparent" not in of_test.headers


def test_an_address_that_is_not_allowed_is_never_spoken_to(
    database: Database, secret: str, trusted: Path, tmp_path: Path
) -> None:
    strict = Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs="10.0.0.0/8"))
    with receiving(trusted) as receiver:
        _asked(database, receiver.url)
        (row,) = _done(database, strict)
    assert (row.state, receiver.got, receiver.names) == ("waiting", [], [])
    assert "which webhooks may not be sent to" in (row.problem or "")


def test_one_bad_address_among_good_ones_is_enough(
    database: Database,
    secret: str,
    deliveries: Deliveries,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what a name leads to is asked once: the answer is pinned."""
    asked = []

    def looked_up(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = ["127.0.0.1", "10.0.0.1"] if host == "mixed.example" else ["127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]

    with receiving(trusted) as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", looked_up)
        _asked(database, receiver.url.replace("localhost", "mixed.example"), receiver.url)
        mixed, good = _done(database, deliveries)
    assert (mixed.state, good.state) == ("waiting", "delivered")
    assert sorted(asked) == ["localhost", "mixed.example"]
    assert len(receiver.got) == 1


def test_a_certificate_of_nobody_known_is_refused(
    database: Database, secret: str, certificate: Path, tmp_path: Path
) -> None:
    careful = Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs=NEAR))
    with receiving(certificate) as receiver:
        _asked(database, receiver.url)
        (row,) = _done(database, careful)
    assert (row.state, receiver.got) == ("waiting", [])
    assert "certificate" in (row.problem or "").lower()


def test_a_slow_receiver_holds_up_neither_the_sweeper_nor_others(
    database: Database, secret: str, trusted: Path, tmp_path: Path
) -> None:
    go_on = threading.Event()
    settings = Settings(home=tmp_path, webhook_allow_cidrs=NEAR, sweep_interval_s=0.05)
    stop = threading.Event()
    sweeping = threading.Thread(target=Sweeper(settings, database, FakeDoorbell()).run, args=(stop,))
    with receiving(trusted, lambda *_: bool(go_on.wait(10))) as slow, receiving(trusted) as quick:  # type: ignore[arg-type]
        _asked(database, *[slow.url] * 20)
        sweeping.start()
        try:
            wait_for(lambda: len(slow.got) == 2, "the slow one has its two")
            job_id = queued_job(database, 1)
            held = take(database)
            assert held is not None
            with database.write() as session:
                notify = [{"url": quick.url, "events": ["job.ended"], "progress_percent": 10}]
                session.execute(update(Job).where(Job.id == job_id).values(notify=notify))
            save_all(database, held)
            # The sweeper ends the job, and the quick one hears of it, while the slow one has not answered.
            wait_for(lambda: quick.events == ["job.ended"], "the quick one has heard")
            assert not go_on.is_set()
        finally:
            go_on.set()
            stop.set()
            sweeping.join(30)


SENDER = """
import sys, time
from nightshift.words.webhooks import Notify
from shared.db.engine import Database
from shared.settings import Settings
from worker.deliveries import Deliveries
deliveries = Deliveries(Database(sys.argv[1]), Settings(home=sys.argv[2], webhook_allow_cidrs=sys.argv[3]))
deliveries.send_due()
time.sleep(60)
"""


def test_a_sweeper_killed_between_send_and_mark_is_followed_by_another(
    database: Database, database_url: str, secret: str, deliveries: Deliveries, trusted: Path, tmp_path: Path
) -> None:
    """The first has sent, and dies before it has the answer: the event comes again, the same."""
    silent = threading.Event()
    with receiving(trusted, lambda *_: bool(silent.wait(30))) as receiver:  # type: ignore[arg-type]
        _asked(database, receiver.url)
        first = subprocess.Popen(
            [sys.executable, "-c", SENDER, database_url, str(tmp_path), NEAR], cwd=REPOSITORY
        )
        wait_for(lambda: len(receiver.got) == 1, "the first has sent")
        first.send_signal(signal.SIGKILL)
        first.wait()
        silent.set()
        receiver.behave = answering(204)
        # Not before the dead one's lease is over.
        assert _done(database, deliveries)[0].state == "waiting"
        assert len(receiver.got) == 1
        _now_due(database)
        (row,) = _done(database, deliveries)
    assert (row.state, row.attempts) == ("delivered", 2)
    one, two = receiver.got
    assert (one.id, one.body) == (two.id, two.body)
    assert one.verified(secret) == two.verified(secret)


@pytest.mark.parametrize(("signals", "code"), [(1, 0), (2, 128 + signal.SIGTERM)])
def test_a_sweeper_that_is_stopped_waits_a_little_for_answers_unless_it_is_told_again(
    signals: int, code: int, database: Database, database_url: str, secret: str, trusted: Path, tmp_path: Path
) -> None:
    silent = threading.Event()
    settings = {"HOME": str(tmp_path), "DATABASE_URL": database_url, "WEBHOOK_ALLOW_CIDRS": NEAR}
    environment = os.environ | {f"NIGHTSHIFT_{name}": value for name, value in settings.items()}
    with receiving(trusted, lambda *_: bool(silent.wait(60))) as receiver:  # type: ignore[arg-type]
        _asked(database, receiver.url)
        command = [sys.executable, "-m", "worker.sweeper"]
        sweeper = subprocess.Popen(command, cwd=REPOSITORY, env=environment)
        wait_for(lambda: len(receiver.got) == 1, "it has sent")
        sweeper.send_signal(signal.SIGTERM)
        if signals == 2:
            # One that comes with the first is taken for the same.
            time.sleep(1)
            sweeper.send_signal(signal.SIGTERM)
        assert sweeper.wait(60) == code
        assert not silent.is_set()
        silent.set()


def test_who_closes_goes_on_when_the_last_answer_is_there(
    database: Database, secret: str, deliveries: Deliveries, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.deliveries.LAST_CALL_S", 600.0)
    with receiving(trusted) as receiver:
        deliveries.start()
        _asked(database, receiver.url)
        deliveries.close()
    assert [row.state for row in _rows(database)] == ["delivered"]
