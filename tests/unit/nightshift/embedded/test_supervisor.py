import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nightshift.embedded import supervisor as module
from nightshift.embedded.children import Command
from nightshift.embedded.supervisor import Supervisor
from tests.support.processes import wait_for


def command(folder: Path, script: str) -> Command:
    arguments = [sys.executable, "-c", script]
    return Command("child", arguments, dict(os.environ), folder, log=folder / "child.log", grace_s=0.5)


def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    script = "import pathlib, time; p = pathlib.Path('once'); e = p.exists(); p.touch()\n"
    script += "pathlib.Path('again').touch() if e else None; time.sleep(600 if e else 0)"
    supervisor.start(command(tmp_path, script))
    wait_for((tmp_path / "again").exists, "the child to be started again")
    supervisor.stop("child", within_s=10)
    supervisor.close()
    assert said == ["child ended with code 0; starting it again in 0.5 s"]
    assert supervisor.failure is None


def test_a_child_that_keeps_dying_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTARTS", 1)
    supervisor = Supervisor(lambda _: None)
    supervisor.start(command(tmp_path, "raise SystemExit('no weights here')"))
    wait_for(lambda: supervisor.failure is not None, "the child to be given up")
    supervisor.stop("child", within_s=10)
    supervisor.close()
    assert "child keeps ending (code 1)" in (supervisor.failure or "")
    assert "no weights here" in (supervisor.failure or "")


def test_a_child_that_cannot_be_started_again_is_tried_again_and_then_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTARTS", 2)
    supervisor = Supervisor(lambda _: None)
    folder = tmp_path / "logs"
    folder.mkdir()
    dies = command(tmp_path, f"import shutil; shutil.rmtree({str(folder)!r})")
    supervisor.start(replace(dies, log=folder / "child.log"))
    wait_for(lambda: supervisor.failure is not None, "the child to be given up")
    supervisor.close()
    assert supervisor.failure == "child cannot be started again: No such file or directory"


def test_a_child_that_was_stopped_stays_so(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.start(command(tmp_path, "import time; time.sleep(600)"))
    supervisor.stop("child", within_s=10)
    supervisor.stop("child", within_s=10)
    supervisor.close()
    assert said == []


def test_a_child_that_is_killed_for_memory_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESTARTS", 0)
    supervisor = Supervisor(lambda _: None)
    supervisor.start(command(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    wait_for(lambda: supervisor.failure is not None, "the child to be given up")
    supervisor.close()
    assert "killed, as the kernel does when memory is short" in (supervisor.failure or "")


def test_children_are_stopped_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for the other to be asked: one after the other, they would wait in vain."""
    wait = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: pathlib.Path({mine!r}).touch())\n"
        "print('ready', flush=True)\n"
        "while not (pathlib.Path({mine!r}).exists() and pathlib.Path({other!r}).exists()): time.sleep(0.05)\n"
    )
    supervisor = Supervisor(lambda _: None)
    names = ("one", "two")
    places = [str(tmp_path / f"{name} was asked") for name in names]
    for name, mine, other in zip(names, places, reversed(places), strict=True):
        child = command(tmp_path, wait.format(mine=mine, other=other))
        supervisor.start(replace(child, name=name, log=tmp_path / f"{name}.log", grace_s=60.0))
    wait_for(lambda: all("ready" in (tmp_path / f"{name}.log").read_text() for name in names), "both to run")
    kept = [supervisor._kept[name].child for name in names]
    supervisor.stop(*names, within_s=60)
    supervisor.close()
    assert [child.exit_code for child in kept] == [0, 0]
