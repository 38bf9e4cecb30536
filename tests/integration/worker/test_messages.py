"""Messages to people: really sent by Apprise, over TLS, from a process kept to allowed addresses."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from shared.db.engine import Database
from shared.db.tables import Delivery, Job
from shared.operations import webhooks
from shared.settings import REPOSITORY, Settings
from tests.support.processes import wait_for
from tests.support.queue_rows import queue_of, queued_job, save_all, take
from tests.support.receivers import Behaviour, answering, make_certificate, receiving
from worker import messages
from worker.deliveries import Deliveries

pytest.importorskip("apprise")

NEAR = "127.0.0.0/8,::1/128"
PUBLIC = "https://photos.example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def deliveries(database: Database, trusted: Path, tmp_path: Path) -> Deliveries:
    return Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs=NEAR, public_url=PUBLIC))


def _ntfy(url: str, topic: str = "s3cret-topic", query: str = "") -> str:
    """What Apprise calls the receiver's URL."""
    return f"ntfys://ann:p4ssw0rd@{url.split('/')[2]}/{topic}{query}"


def _tried(database: Database, deliveries: Deliveries, url: str) -> Delivery:
    with database.write() as session:
        webhooks.try_receiver(session, "local", url)
    return _sent(database, deliveries)


def _sent(database: Database, deliveries: Deliveries) -> Delivery:
    deliveries.send_due()
    wait_for(lambda: deliveries.under_way == 0, "every attempt ended")
    with database.read() as session:
        return session.scalars(select(Delivery).order_by(Delivery.created_at.desc())).all()[0]


def test_a_message_has_the_counts_the_reasons_and_a_link(
    database: Database, deliveries: Deliveries, trusted: Path
) -> None:
    job_id = queued_job(database, 3)
    with receiving(trusted, answering(200, b"{}")) as receiver:
        notify = [{"url": _ntfy(receiver.url), "events": ["job.ended"], "progress_percent": 10}]
        with database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(notify=notify, label="gala"))
        held = take(database)
        assert held is not None
        save_all(database, held)
        queue_of(database).finish(job_id)
        row = _sent(database, deliveries)
    # Unsigned: no secret was made.
    assert (row.state, row.problem, row.attempts) == ("delivered", None, 1)
    (got,) = receiver.got
    said = json.loads(got.body)
    assert (said["topic"], said["title"]) == ("s3cret-topic", "Nightshift: gala is done")
    assert said["message"].startswith("3 photos: 3 succeeded; ")
    assert said["message"].endswith(f"\n{PUBLIC}/#/jobs/{job_id}")


@pytest.mark.parametrize("status", [401, 500, 302])
def test_what_is_not_taken_is_tried_again_and_says_no_secrets(
    status: int, database: Database, deliveries: Deliveries, trusted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with receiving(trusted, answering(status, b"s3cret-topic", Location="https://localhost/")) as receiver:
        row = _tried(database, deliveries, _ntfy(receiver.url))
    assert (row.state, len(receiver.got)) == ("waiting", 1)
    assert row.problem
    for secret in ("p4ssw0rd", "s3cret", "topic"):
        assert secret not in f"{row.problem} {row.answer} {caplog.text}"


@pytest.mark.parametrize("allowed", ["", "10.0.0.0/8"])
def test_a_message_obeys_the_rule_on_addresses(
    allowed: str, database: Database, trusted: Path, tmp_path: Path
) -> None:
    strict = Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs=allowed))
    with receiving(trusted) as receiver:
        row = _tried(database, strict, _ntfy(receiver.url))
    assert (row.state, receiver.got, receiver.names) == ("waiting", [], [])
    assert "which messages may not be sent to" in (row.problem or "")


def test_a_certificate_of_nobody_known_is_refused(
    database: Database, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    careful = Deliveries(database, Settings(home=tmp_path, webhook_allow_cidrs=NEAR))
    with receiving(certificate) as receiver:
        row = _tried(database, careful, _ntfy(receiver.url))
    assert (row.state, receiver.got) == ("waiting", [])


def test_one_that_never_answers_is_given_up_for_now(
    database: Database, deliveries: Deliveries, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "ATTEMPT_S", 3.0)
    go_on = threading.Event()
    with receiving(trusted, lambda *_: bool(go_on.wait(30))) as receiver:  # type: ignore[arg-type]
        row = _tried(database, deliveries, _ntfy(receiver.url, query="?rto=300"))
        go_on.set()
    assert (row.state, row.problem) == ("waiting", "it was not taken within 3 s")


def _without_end(connection: ssl.SSLSocket, _: int) -> None:
    connection.sendall(b"HTTP/1.1 500 X\r\nConnection: close\r\n\r\n")
    piece = bytes(1_000_000)
    for _ in range(5000):
        connection.sendall(piece)


def _much_in_little(connection: ssl.SSLSocket, _: int) -> None:
    body = gzip.compress(bytes(1_000_000_000), 9)
    head = f"HTTP/1.1 500 X\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


@pytest.mark.parametrize("behave", [_without_end, _much_in_little])
def test_an_answer_takes_no_more_memory_than_it_may(
    behave: Behaviour, database: Database, deliveries: Deliveries, trusted: Path
) -> None:
    with receiving(trusted, behave) as receiver:
        row = _tried(database, deliveries, _ntfy(receiver.url))
    # TLS may be where there is none left: then it is a connection that broke.
    assert row.state == "waiting"
    assert row.problem == "not sent: MemoryError" or "Connection error" in str(row.problem), row.problem


GUARDED = """
import sys
from worker.message_process import _keep_in
from shared.addresses import networks_in
_keep_in(networks_in("127.0.0.0/8"))
{deed}
print("done")
"""


@pytest.mark.parametrize(
    "deed",
    [
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "open('/etc/passwd').read()",
        "open('{tmp}/made', 'w')",
        "import os; os.open('{tmp}/made', os.O_WRONLY | os.O_CREAT)",
        "import os; os.remove('{tmp}/kept')",
        "import socket; socket.create_connection(('169.254.169.254', 80), 1)",
        "import socket; socket.socket().connect(('10.0.0.1', 80))",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('10.0.0.1', 80))",
        "import socket; socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
    ],
)
def test_its_process_can_do_nothing_else(deed: str, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    code = GUARDED.format(deed=deed.format(tmp=tmp_path))
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert "messages may not" in json.loads(done.stdout)["problem"], done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


@contextmanager
def _mail_server(certificate: Path, welcome: str = "235 welcome") -> Iterator[tuple[int, list[str]]]:
    """Takes one mail after another over TLS, as SMTP has it, and keeps what came."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[str] = []

    def attend() -> None:
        try:
            raw, _ = listener.accept()
            with (
                context.wrap_socket(raw, server_side=True) as connection,
                connection.makefile("rwb") as lines,
            ):

                def say(line: str) -> None:
                    lines.write(f"{line}\r\n".encode())
                    lines.flush()

                say("220 mail")
                while line := lines.readline().decode().strip():
                    word = line.split()[0].upper()
                    if word == "EHLO":
                        say("250-mail")
                        say("250 AUTH PLAIN")
                    elif word == "AUTH":
                        say(welcome)
                    elif word == "DATA":
                        say("354 go on")
                        mail = iter(lambda: lines.readline().decode(), ".\r\n")
                        got.append("".join(mail))
                        say("250 taken")
                    elif word == "QUIT":
                        say("221 bye")
                        return
                    else:
                        say("250 fine")
        except OSError:
            pass

    thread = threading.Thread(target=attend, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], got
    finally:
        listener.close()
        thread.join(5)


def test_mail_is_sent(database: Database, deliveries: Deliveries, trusted: Path) -> None:
    with _mail_server(trusted) as (port, got):
        url = f"mailtos://ann:p4ssw0rd@localhost:{port}?mode=ssl&from=ann@example.org&to=ben@example.org"
        row = _tried(database, deliveries, url)
    assert (row.state, row.problem) == ("delivered", None)
    mail = email.message_from_string(got[0], policy=email.policy.default)
    assert mail["subject"] == "Nightshift: a test"
    # As HTML, which is Apprise's default for mail, its lines would run together.
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == ["Messages arrive here.", PUBLIC]


def test_a_wrong_password_is_not_called_a_connection_error_alone(
    database: Database, deliveries: Deliveries, trusted: Path
) -> None:
    with _mail_server(trusted, "535 5.7.8 ann: no such password, p4ssw0rd") as (port, got):
        url = f"mailtos://ann:p4ssw0rd@localhost:{port}?mode=ssl&from=ann@example.org&to=ben@example.org"
        row = _tried(database, deliveries, url)
    assert (row.state, got) == ("waiting", [])
    assert row.problem is not None
    assert "no such password" in row.problem
    assert "p4ssw0rd" not in row.problem


def test_a_link_is_not_escaped_for_markdown(
    database: Database, deliveries: Deliveries, trusted: Path
) -> None:
    job_id = queued_job(database, 1)
    with receiving(trusted, answering(200, b'{"success": true}')) as receiver:
        url = f"rockets://{'a' * 24}/{'b' * 24}@{receiver.url.split('/')[2]}/#gala?avatar=no"
        notify = [{"url": url, "events": ["job.ended"], "progress_percent": 10}]
        with database.write() as session:
            session.execute(update(Job).where(Job.id == job_id).values(notify=notify))
        held = take(database)
        assert held is not None
        save_all(database, held)
        queue_of(database).finish(job_id)
        row = _sent(database, deliveries)
    assert (row.state, row.problem) == ("delivered", None)
    assert f"{PUBLIC}/#/jobs/{job_id}" in json.loads(receiver.got[-1].body)["text"]
