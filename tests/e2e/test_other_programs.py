"""A run beside other programs whose variables, files and services are none of its business."""

from pathlib import Path

import pytest

from tests.support.command import Nightshift, write_portraits
from tests.support.strangers import STRANGERS


def test_a_run_hears_of_no_other_programs_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STRANGERS.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NIGHTSHIFT_API_KEY")
    write_portraits(tmp_path / "party", 1)
    (tmp_path / "celeryconfig.py").write_text("broker_url = 'redis://127.0.0.1:1/0'")
    (tmp_path / "gunicorn.conf.py").write_text("raise RuntimeError")
    (tmp_path / ".env").write_text("NIGHTSHIFT_BROKER_URL=redis://127.0.0.1:1/0\n")
    nightshift = Nightshift(tmp_path)
    nightshift.home.mkdir()
    (nightshift.home / "lock").touch()
    for folder in (tmp_path, nightshift.home):
        for name in ("api", "celery", "gunicorn", "kombu", "migrations", "shared", "worker", "sitecustomize"):
            (folder / f"{name}.py").write_text("raise SystemExit('not ours')")
    done = nightshift.run("run", "party", "--no-report")
    assert done.returncode == 0, done.stderr
    assert "1: 1 succeeded" in done.stdout
