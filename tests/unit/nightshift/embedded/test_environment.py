"""What children find in their environment, and what the variables of other programs do to ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nightshift.client import Client
from nightshift.embedded.environment import (
    environment,
    environment_of_broker,
    environment_of_children,
    environment_of_worker,
)
from shared.settings import Settings
from tests.support.answering_server import Answer, Received, serving
from tests.support.strangers import STRANGERS

OURS = {
    "PATH": "/bin",
    "HOME": "/h",
    "LC_ALL": "de_DE.ISO-8859-1",
    "TZ": "Europe/Berlin",
    "TMPDIR": "/t",
    "AWS_ACCESS_KEY_ID": "id",
    "https_proxy": "http://proxy",
    "OMP_NUM_THREADS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "CUDA_VISIBLE_DEVICES": "0",
    "LD_LIBRARY_PATH": "/l",
}


def test_children_get_what_they_need_and_nothing_else(tmp_path: Path) -> None:
    passed = environment_of_children({**STRANGERS, **OURS})
    assert {name: passed[name] for name in OURS} == OURS
    assert not passed.keys() & STRANGERS.keys()
    assert not any("secret" in value or "of-the-shell" in value for value in passed.values())
    settings = Settings(home=tmp_path, api_key="the-root-key-of-32-characters-or-more")
    assert environment(settings, STRANGERS)["NIGHTSHIFT_API_KEY"] == "the-root-key-of-32-characters-or-more"


def test_neither_workers_nor_the_broker_know_the_apis_secrets(tmp_path: Path) -> None:
    secrets = {"api_key": "the-root-key-of-32-characters-or-more", "oidc_client_secret": "the-providers-key"}
    settings = Settings(home=tmp_path, **secrets)  # type: ignore[arg-type]
    assert environment(settings, STRANGERS)["NIGHTSHIFT_OIDC_CLIENT_SECRET"] == "the-providers-key"
    worker = environment_of_worker(settings, {**STRANGERS, **OURS})
    broker = environment_of_broker({**STRANGERS, **OURS})
    for child in (worker, broker):
        assert not any("key" in value for value in child.values())
    assert "AWS_ACCESS_KEY_ID" in worker
    assert not any(name.startswith(("NIGHTSHIFT_", "AWS_")) for name in broker)


@pytest.mark.parametrize(
    "arguments", [[], ["--result-backend", "redis://127.0.0.1:1/9"]], ids=["import", "command"]
)
def test_a_worker_started_by_hand_hears_of_no_other_broker(tmp_path: Path, arguments: list[str]) -> None:
    script = """
import sys
from celery.bin.celery import celery
try:
    celery(["-A", "worker.main", *sys.argv[1:], "report"], auto_envvar_prefix="CELERY", standalone_mode=False)
finally:
    from worker.main import app
    print("URLS", {app.connection_for_read().as_uri(), app.connection_for_write().as_uri()})
    from shared.broker.doorbell import CeleryDoorbell
    print("BELL", CeleryDoorbell(app.conf.broker_url)._app.connection_for_write().as_uri())
"""
    strangers = {name: value for name, value in STRANGERS.items() if not name.startswith("PYTHON")}
    told = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, **strangers, "NIGHTSHIFT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    lines = told.stdout.split("\n")
    ours = f"redis+socket://{tmp_path}/run/broker.sock"
    assert [line for line in lines if line.startswith("URLS")] == [f"URLS {{'{ours}'}}"]
    assert [line for line in lines if line.startswith("BELL")] == [f"BELL {ours}"]


def test_proxies_and_netrc_of_the_user_are_not_for_this_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(document={"status": "ready"})

    with serving(answer) as server, Client(server.url, "the key") as client:
        assert client.is_ready()
        assert server.requests[0].headers["authorization"] == "Bearer the key"


def test_gunicorn_is_told_by_us_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.gunicorn_hooks import on_starting

    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--forwarded-allow-ips=*")
    with pytest.raises(SystemExit, match="GUNICORN_CMD_ARGS"):
        on_starting(None)


def test_flask_debugs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.app import create_app
    from shared.db.migrate import upgrade

    monkeypatch.setenv("FLASK_DEBUG", "1")
    settings = Settings(home=tmp_path)
    upgrade(settings.database_url)
    assert create_app(settings).debug is False
