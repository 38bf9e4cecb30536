from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.embedded.home import Home
from nightshift.machine.served import announced
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
        ({"NIGHTSHIFT_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"NIGHTSHIFT_HOST": "0.0.0.0", "NIGHTSHIFT_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"NIGHTSHIFT_HOST": "10.0.0.5"}, "http://10.0.0.5:8080"),
        ({"NIGHTSHIFT_HOST": "::", "NIGHTSHIFT_PORT": "9000"}, "http://[::1]:9000"),
        ({"NIGHTSHIFT_HOST": "::1", "NIGHTSHIFT_PORT": "9000"}, "http://[::1]:9000"),
    ],
)
def test_host_and_port_are_one_setting_for_server_and_client(given: dict[str, str], address: str) -> None:
    assert server_address(given=given).url == address


@pytest.mark.parametrize(
    "given", [{}, {"NIGHTSHIFT_PORT": "0"}, {"NIGHTSHIFT_PORT": "x"}, {"NIGHTSHIFT_HOST": "::"}]
)
def test_what_says_nothing_leaves_it_to_the_service_of_the_home(
    given: dict[str, str], tmp_path: Path
) -> None:
    given = {**given, "NIGHTSHIFT_HOME": str(tmp_path)}
    assert server_address(given=given).url == "http://127.0.0.1:8080"
    with Home(tmp_path, "serve"), announced(tmp_path, "http://127.0.0.1:9001"):
        url, source = server_address(given=given)
        assert (url, str(tmp_path) in source) == ("http://127.0.0.1:9001", True)
        # What is said comes first.
        assert server_address("http://a", given) == ("http://a", "that of --server")
        of_variable = {**given, "NIGHTSHIFT_SERVER": "http://b"}
        assert server_address("http://b", of_variable) == ("http://b", "that of NIGHTSHIFT_SERVER")
        by_port = server_address(given={**given, "NIGHTSHIFT_PORT": "9002"})
        assert by_port == (by_port.url, "that of NIGHTSHIFT_PORT")
        assert by_port.url.endswith(":9002")


def test_where_no_answer_comes_it_is_said_whose_address_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightshift.connection.ATTEMPTS", 1)
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path))
    for name in ("NIGHTSHIFT_SERVER", "NIGHTSHIFT_PORT"):
        monkeypatch.delenv(name, raising=False)
    with serving(lambda *_: Answer(404)) as gone:
        url = gone.url
    with Home(tmp_path, "serve"), announced(tmp_path, url):
        away = CliRunner().invoke(app, ["status", "--api-key", "k"])
    assert away.exit_code == 6
    assert f"no answer from {url}: " in away.stderr
    assert f"; the address is that of the service that runs on the home {tmp_path}: is the" in away.stderr
    away = CliRunner().invoke(app, ["status", "--api-key", "k", "--server", url])
    assert "; the address is that of --server: is the server running" in away.stderr


def test_commands_ask_at_that_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIGHTSHIFT_SERVER", raising=False)
    with serving(lambda *_: Answer(200, {"jobs": [], "next": None})) as server:
        monkeypatch.setenv("NIGHTSHIFT_PORT", server.url.rpartition(":")[2])
        done = CliRunner().invoke(app, ["status", "--api-key", "k"])
    assert done.exit_code == 0, done.stderr
    assert len(server.requests) == 1
