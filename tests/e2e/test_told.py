"""Whoever waits is told what for: a client whose server has no workers, and a server whose broker is away."""

import re
from pathlib import Path

import pytest

from tests.support.command import Nightshift, write_portraits
from tests.support.processes import wait_for


@pytest.fixture
def nightshift(tmp_path: Path) -> Nightshift:
    write_portraits(tmp_path / "party", 1)
    return Nightshift(tmp_path, {"API_KEY": "the-root-key-of-a-service-in-a-test"})


def test_a_client_that_waits_for_workers_is_told_and_goes_on_when_one_comes(nightshift: Nightshift) -> None:
    told, served = (nightshift.folder / f"{name}.stderr" for name in ("submit", "serve"))
    with nightshift.running("serve", "--port", "0"):
        wait_for(lambda: "serving on" in served.read_text(), "the server")
        found = re.search(r"serving on (\S+)", served.read_text())
        assert found
        nightshift.settings["SERVER"] = found[1]
        with nightshift.running("submit", "party", "--wait") as submitting:
            wait_for(lambda: "no worker has signed on" in told.read_text(), "the word", 90)
            with nightshift.running("worker", "--workers", "1"):
                assert submitting.wait(240) == 0
    assert told.read_text().count("waiting: ") == 1


def test_a_server_says_that_its_broker_is_away(nightshift: Nightshift) -> None:
    nightshift.settings["BROKER_URL"] = "redis://127.0.0.1:1/0"
    said = nightshift.folder / "serve.stderr"
    with nightshift.running("serve", "--port", "0"):
        wait_for(lambda: "serving on" in said.read_text(), "the server")
        wait_for(lambda: "the broker does not answer" in said.read_text(), "the word", 90)
