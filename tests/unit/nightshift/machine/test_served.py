"""Commands find the service that runs on their home, and no other that has its port since."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nightshift.embedded.home import Home
from nightshift.machine.served import FILE, announced, served_at
from tests.support.requirements import require

URL = "http://127.0.0.1:9001"
SERVE = """
import sys, time
from pathlib import Path
from nightshift.embedded.home import Home
from nightshift.machine.served import announced
home = Path(sys.argv[1])
with Home(home, sys.argv[2]), announced(home, sys.argv[3]):
    print("serving", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def needs_proc() -> None:
    require(sys.platform == "linux", "a process that lives is known by Linux's proc(5)", essential=False)


@contextmanager
def serving(home: Path, command: str = "serve", url: str = URL) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home), command, url], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_it_is_found_while_it_serves_and_nobody_else_may_read_where(tmp_path: Path) -> None:
    assert served_at(tmp_path) == ""
    with Home(tmp_path, "serve"), announced(tmp_path, URL):
        assert served_at(tmp_path) == URL
        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / FILE).exists()


def test_it_is_found_by_another_process_until_it_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        assert served_at(tmp_path) == URL
        process.kill()
        process.wait()
    assert (tmp_path / FILE).exists()
    assert served_at(tmp_path) == ""


def test_what_a_killed_one_left_is_not_taken_for_that_of_the_next(tmp_path: Path) -> None:
    with serving(tmp_path):
        pass
    # Which is starting: it has the home, and does not listen yet.
    with Home(tmp_path, "serve"):
        assert (tmp_path / FILE).exists()
        assert served_at(tmp_path) == ""
        with announced(tmp_path, "http://127.0.0.1:9002"):
            assert served_at(tmp_path) == "http://127.0.0.1:9002"


def test_a_run_is_no_service_for_others(tmp_path: Path) -> None:
    with serving(tmp_path, "run"):
        assert served_at(tmp_path) == ""


@pytest.mark.parametrize("left", [b"", b"\xff\n", b"http://127.0.0.1:9001\n", b"a\nb\nc\n"])
def test_what_is_no_address_is_none(tmp_path: Path, left: bytes) -> None:
    with Home(tmp_path, "serve"):
        (tmp_path / FILE).write_bytes(left)
        assert served_at(tmp_path) == ""


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    with Home(tmp_path, "serve"):
        os.mkfifo(tmp_path / FILE)
        assert served_at(tmp_path) == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_somebody_else_has_written_is_not_believed(tmp_path: Path) -> None:
    with Home(tmp_path, "serve"), announced(tmp_path, URL):
        os.chown(tmp_path / FILE, 4711, 4711)
        assert served_at(tmp_path) == ""
