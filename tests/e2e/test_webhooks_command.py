"""`nightshift webhooks` against a real service and a real receiver, and the same by both clients."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightshift import ApiError, AsyncClient, Client
from nightshift.words.errors import InvalidInput
from tests.support.command import Nightshift
from tests.support.processes import wait_for
from tests.support.receivers import Receiver, answering, make_certificate, receiving

KEY = "the-root-key-of-a-service-in-a-test"


@pytest.fixture
def nightshift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nightshift]:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(tmp_path)))
    command = Nightshift(tmp_path, {"API_KEY": KEY, "WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8,::1/128"})
    said = tmp_path / "serve.stderr"
    with command.running("serve", "--port", "0"):
        wait_for(lambda: "serving on" in said.read_text(), "the server")
        found = re.search(r"serving on (\S+)", said.read_text())
        assert found
        command.settings["SERVER"] = found[1]
        yield command


@pytest.fixture
def receiver(nightshift: Nightshift) -> Iterator[Receiver]:
    with receiving(nightshift.folder / "receiver.pem") as receiver:
        yield receiver


def test_from_the_secret_to_the_removal(nightshift: Nightshift, receiver: Receiver) -> None:
    def do(*words: str) -> tuple[int, str, str]:
        done = nightshift.run("webhooks", *words)
        return done.returncode, done.stdout, done.stderr

    code, _, said = do("add", receiver.url)
    assert (code, "webhook_secret_missing" in said) == (2, True)
    code, secret, said = do("secret")
    assert (code, secret.startswith("whsec_")) == (0, True)
    assert "nobody can show it again" in said

    events = ("--event", "job.ended", "--event", "job.progress", "--progress-percent", "25")
    code, _, said = do("add", receiver.url, *events)
    assert code == 0, said
    assert f"({receiver.url}) is told: job.ended, job.progress (every 25 %)" in said
    found = re.search(r"rcv_[0-9a-f]{32}", said)
    assert found
    code, table, said = do("list")
    assert code == 0
    assert all(word in table for word in (found[0], receiver.url, "every 25 %"))
    assert "signed by whs_" in said
    assert "whsec_" not in table + said

    code, _, said = do("change", receiver.url, "--progress-percent", "50")
    assert (code, "job.ended, job.progress (every 50 %)" in said) == (0, True), said
    code, told, _ = do("change", found[0], "--event", "job.expiring", "--json")
    assert (code, json.loads(told)["notify"]["events"]) == (0, ["job.expiring"])
    for flags in ((), ("--event", "job.lost"), ("--url", "http://example.org")):
        assert do("change", found[0], *flags)[0] == 2, flags

    for name in (receiver.url, found[0]):
        code, _, said = do("test", name)
        assert (code, "taken by" in said) == (0, True), said
    assert receiver.got[0].verified(secret.strip())["type"] == "webhook.test"
    receiver.behave = answering(503)
    code, _, said = do("test", receiver.url, "--json")
    assert code == 4
    code, table, _ = do("deliveries", "--state", "waiting")
    (line,) = [line for line in table.splitlines() if "evt_" in line]
    assert "it answered 503" in line

    receiver.behave = answering(204)
    came = len(receiver.got)
    again = line.split()[0]
    code, _, said = do("redeliver", again)
    assert (code, f"{again} is sent again" in said) == (0, True)
    wait_for(lambda: len(receiver.got) > came, "it came again")
    assert receiver.got[-1].id == again
    code, lines, _ = do("deliveries", "--json", "--limit", "2")
    assert [json.loads(each)["event"] for each in lines.splitlines()] == ["webhook.test"] * 2

    code, _, said = do("remove", receiver.url)
    assert (code, "is told no more" in said) == (0, True)
    code, _, said = do("remove", found[0])
    assert (code, "receiver_not_found" in said) == (2, True)
    code, table, said = do("list")
    assert (code, table) == (0, "")
    assert "nobody is told" in said


def test_both_clients_do_the_same(nightshift: Nightshift, receiver: Receiver) -> None:
    server = nightshift.settings["SERVER"]
    with Client(server, KEY) as client:
        assert client.make_webhook_secret().secret.startswith("whsec_")
        elsewhere = client.add_receiver(f"{receiver.url}/elsewhere", events=["job.expiring"])
        added = client.change_receiver(elsewhere.id, url=receiver.url)
        assert (added.id, added.notify and added.notify.events) == (elsewhere.id, ["job.expiring"])
        sent = client.try_webhook(added.id)
        wait_for(lambda: client.delivery(sent.id).state == "delivered", "it is taken")
        with pytest.raises(InvalidInput) as refused:
            client.add_receiver("http://example.org/")
        assert refused.value.code == "invalid_fields"
        with pytest.raises(InvalidInput) as malformed:
            client.redeliver("../jobs")
        assert malformed.value.code == "delivery_not_found"

    async def awaited() -> None:
        async with AsyncClient(server, KEY) as client:
            (known,) = (await client.webhooks()).receivers
            assert (known.id, known.url) == (added.id, receiver.url)
            assert [each.id async for each in client.deliveries(state="delivered")] == [sent.id]
            assert (await client.redeliver(sent.id)).id == sent.id
            assert (await client.remove_receiver(added.id)).id == added.id
            with pytest.raises(ApiError) as gone:
                await client.remove_receiver(added.id)
            assert gone.value.code == "receiver_not_found"

    asyncio.run(awaited())
