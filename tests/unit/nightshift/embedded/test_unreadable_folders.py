"""Folders that cannot be looked into are in the summary, in --json and in the exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nightshift.embedded import run as run_module
from nightshift.exits import Exit
from nightshift.photos import Found
from tests.support.report_made import fake_photo, job_of


def test_an_unreadable_folder_is_told_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "write_results", lambda *_, **__: {})
    monkeypatch.setattr(run_module, "first_failures", lambda *_: {})
    unreadable = ["/photos/locked\udcff: Permission denied"]
    made: Any = object.__new__(run_module.Run)
    made._found = Found(unreadable=unreadable)
    made._request = SimpleNamespace(also=())
    job, summary = job_of([fake_photo(1)])
    client: Any = SimpleNamespace(summary=lambda _: summary)
    ended = job.model_copy(update={"outcome": "succeeded"})
    report = run_module.Run._report(made, client, ended, [], tmp_path)
    assert report.exit == Exit.PARTIAL
    assert report.as_json()["unreadable"] == ["/photos/locked\\xff: Permission denied"]
