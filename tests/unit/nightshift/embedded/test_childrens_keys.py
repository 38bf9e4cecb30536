"""Only the API knows the root key."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from nightshift.embedded import service
from nightshift.embedded.serve import become_worker
from nightshift.photos import in_place_roots
from shared.processes.command_lines import api_command
from shared.settings import load_settings


def test_children_but_the_api_get_no_root_key(tmp_path: Path) -> None:
    key = "k" * 40
    settings = load_settings(home=tmp_path, api_key=key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        commands = [
            service._api(settings, listener, log=None),
            service._workers(settings),
            service._broker(settings),
        ]
    assert [command.environment.get("NIGHTSHIFT_API_KEY") for command in commands] == [key, "", None]
    assert all(key not in argument for argument in api_command(settings))


def test_nor_does_a_worker_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[dict[str, str]] = []

    def execve(_path: str, _arguments: list[str], environment: dict[str, str]) -> None:
        begun.append(environment)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.execve", execve)
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", "k" * 40)
    become_worker({"home": tmp_path, "broker_url": "redis://127.0.0.1:1/0"})
    assert begun[0]["NIGHTSHIFT_API_KEY"] == ""


def test_a_run_opens_what_was_named_and_where_links_in_it_lead(tmp_path: Path) -> None:
    party, elsewhere = tmp_path / "party", tmp_path / "elsewhere"
    inside = [party / "a.jpg", party / "b" / "c.jpg"]
    assert in_place_roots([party], inside) == [party]
    assert in_place_roots([party], [*inside, elsewhere / "1" / "d.jpg", elsewhere / "2" / "e.jpg"]) == [
        party,
        elsewhere,
    ]
    assert in_place_roots([party / "a.jpg"], [party / "a.jpg"]) == [party / "a.jpg"]
