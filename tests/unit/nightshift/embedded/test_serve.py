import os
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from nightshift.embedded.broker import embedded_broker_command
from nightshift.embedded.environment import environment
from nightshift.embedded.serve import _have_commands_find_it, become_worker, listen
from nightshift.embedded.service import check_bundle
from nightshift.words.errors import ModelUnavailable, NightshiftError
from shared.bundles.manifest import MANIFEST, TENSORS
from shared.settings import REPOSITORY, Settings, load_settings


def test_a_taken_port_is_said() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(NightshiftError, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_port_0_is_a_free_one() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.family == socket.AF_INET
        assert listener.getsockname()[1] > 0


def test_serving_goes_on_where_commands_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "served_at").mkdir()
    with listen("0.0.0.0", 0) as listener, ExitStack() as parts:
        _have_commands_find_it(Settings(home=tmp_path), listener, parts)
        port = listener.getsockname()[1]
    assert f"commands need --server http://127.0.0.1:{port}: it cannot be written" in capsys.readouterr().err


def test_a_child_reads_back_the_very_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        home=tmp_path, api_key="secret" * 6, in_place_roots='["/a:b"]', workers=3, lease_s=7.5
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_the_shipped_bundle_is_whole() -> None:
    settings, manifest = check_bundle(Settings())
    assert Path(settings.bundle).is_absolute()
    assert manifest.name == "faces-mobilenet"


def test_a_bundle_with_other_tensors_is_named(tmp_path: Path) -> None:
    bundle = tmp_path / "mine"
    bundle.mkdir()
    (bundle / MANIFEST).write_bytes((REPOSITORY / "weights" / "utkface-v2s" / MANIFEST).read_bytes())
    settings = Settings(weights_dir=tmp_path, bundle="mine")
    with pytest.raises(ModelUnavailable, match=str(bundle / TENSORS)):
        check_bundle(settings)
    (bundle / TENSORS).write_bytes(b"other")
    with pytest.raises(ModelUnavailable, match="is not the file that its manifest names"):
        check_bundle(settings)


def test_a_worker_waits_for_the_service_that_is_started_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = embedded_broker_command(Settings(home=tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execve", lambda *_: None)
    monkeypatch.setattr("nightshift.embedded.serve.LOOK_EVERY_S", 0.01)
    brokers: list[subprocess.Popen[bytes]] = []

    def start_when_waited_for() -> None:
        time.sleep(0.3)
        brokers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    starting = threading.Thread(target=start_when_waited_for)
    starting.start()
    try:
        become_worker({"home": tmp_path})
    finally:
        starting.join()
        for broker in brokers:
            broker.terminate()
            broker.wait()
    said = capfd.readouterr().err
    assert said.count("no service runs on") == 1 and "waiting 30 s for it to start" in said
    assert "working for the service of" in said


def test_a_worker_without_a_service_says_so_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightshift.embedded.serve.STARTS_WITHIN_S", 0.0)
    with pytest.raises(NightshiftError, match="no service runs on") as refused:
        become_worker({"home": tmp_path})
    assert refused.value.code == "broker_missing"
