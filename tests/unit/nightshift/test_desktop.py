"""The desktop is told by its own program, and nothing that it does is an error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nightshift import desktop
from nightshift.words.documents import Job, PhotoCounts

JOB = Job.model_validate(
    {
        "id": "job_1",
        "label": "gala <b>&",
        "state": "ended",
        "outcome": "partial",
        "created_at": "2026-12-01T04:12:00Z",
        "counts": PhotoCounts(total=1204, succeeded=1190, failed=14),
        "faces": 3411,
    }
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other desktops have other programs")


def _program(folder: Path, does: str) -> dict[str, str]:
    """An environment with a desktop, whose program does this."""
    program = folder / "notify-send"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}", "DISPLAY": ":0"}


def test_it_says_the_counts(tmp_path: Path) -> None:
    environment = _program(tmp_path, f'for each; do echo "$each"; done > {tmp_path}/said')
    desktop.tell_desktop(JOB, environment)
    said = (tmp_path / "said").read_text().splitlines()
    assert said[-2:] == ["Nightshift: gala <b>& is partial", "1,204 photos, 14 failed; 3,411 faces"]


@pytest.mark.parametrize("does", ["exit 1", "sleep 60", "kill -9 $$", "echo noise; echo noise >&2"])
def test_whatever_it_does_is_no_error(
    does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desktop, "PATIENCE_S", 0.5)
    desktop.tell_desktop(JOB, _program(tmp_path, does))
    assert capfd.readouterr() == ("", "")


def test_without_a_desktop_or_its_program_nothing_is_asked(tmp_path: Path) -> None:
    environment = _program(tmp_path, f"touch {tmp_path}/said")
    desktop.tell_desktop(JOB, {"PATH": environment["PATH"]})
    desktop.tell_desktop(JOB, {"DISPLAY": ":0", "PATH": "/nonexistent"})
    (tmp_path / "notify-send").write_text("no program at all")
    desktop.tell_desktop(JOB, environment)
    assert not (tmp_path / "said").exists()
