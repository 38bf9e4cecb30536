"""Folders that cannot be looked into are in the summary, in --json and in the exit code."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nightshift.embedded import run as run_module
from nightshift.embedded.beside_photos import BesidePhotos
from nightshift.embedded.interrupted_runs import InterruptedRun, Work
from nightshift.exits import Exit
from nightshift.photos import Found
from tests.support.report_made import fake_photo, job_of


@pytest.mark.parametrize("is_resumed", [False, True])
def test_an_unreadable_folder_is_told_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_resumed: bool
) -> None:
    monkeypatch.setattr(run_module, "write_results", lambda *_, **__: {})
    monkeypatch.setattr(run_module, "first_failures", lambda *_: {})
    found = Found(unreadable=["/photos/locked\udcff: Permission denied"])
    made: Any = object.__new__(run_module.Run)
    made._found = Found() if is_resumed else found
    made._request = SimpleNamespace(also=())
    about = InterruptedRun("job_1", "paused", (), tmp_path, "w", "0", beside=BesidePhotos.of(found))
    work = Work((), tmp_path, about if is_resumed else None)
    job, summary = job_of([fake_photo(1)])
    client: Any = SimpleNamespace(summary=lambda _: summary)
    ended = job.model_copy(update={"outcome": "succeeded"})
    report = run_module.Run._report(made, client, ended, work, tmp_path)
    assert report.exit == Exit.PARTIAL
    assert report.as_json()["unreadable"] == ["/photos/locked\\xff: Permission denied"]
