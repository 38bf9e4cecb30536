from __future__ import annotations

import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.variables import remarks_on_variables, server_address
from nightshift.words.version import VERSION
from shared.settings import Settings
from tests.support.answering_server import Answer, serving


def test_a_variable_that_is_no_setting_is_named_with_what_was_meant() -> None:
    (remark,) = remarks_on_variables(["NIGHTSHIFT_HOMME", "NIGHTSHIFT_HOME", "PATH"])
    assert remark == "NIGHTSHIFT_HOMME is no setting and does nothing; did you mean NIGHTSHIFT_HOME?"
    (remark,) = remarks_on_variables(["NIGHTSHIFT_ZZZZ"])
    assert "docs/settings.md" in remark


def test_every_setting_is_known() -> None:
    names = [f"NIGHTSHIFT_{name.upper()}" for name in Settings.model_fields]
    assert remarks_on_variables([*names, "NIGHTSHIFT_SERVER", "NIGHTSHIFT_API_KEY"]) == []


def test_every_command_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_WORKRES", "2")
    done = CliRunner().invoke(app, ["version"])
    assert (done.exit_code, done.stdout) == (0, f"{VERSION}\n")
    assert "did you mean NIGHTSHIFT_WORKERS?" in done.stderr


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"NIGHTSHIFT_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"NIGHTSHIFT_PORT": "0"}, "http://127.0.0.1:8080"),
        ({"NIGHTSHIFT_PORT": "x"}, "http://127.0.0.1:8080"),
        ({"NIGHTSHIFT_HOST": "0.0.0.0", "NIGHTSHIFT_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"NIGHTSHIFT_HOST": "10.0.0.5"}, "http://10.0.0.5:8080"),
        ({"NIGHTSHIFT_HOST": "::1", "NIGHTSHIFT_PORT": "9000"}, "http://[::1]:9000"),
    ],
)
def test_host_and_port_are_one_setting_for_server_and_client(given: dict[str, str], address: str) -> None:
    assert server_address(given) == address


def test_commands_ask_at_that_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIGHTSHIFT_SERVER", raising=False)
    with serving(lambda *_: Answer(200, {"jobs": [], "next": None})) as server:
        monkeypatch.setenv("NIGHTSHIFT_PORT", server.url.rpartition(":")[2])
        done = CliRunner().invoke(app, ["status", "--api-key", "k"])
    assert done.exit_code == 0, done.stderr
    assert len(server.requests) == 1
