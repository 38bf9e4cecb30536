"""Guards and children with real processes: what a killed runner leaves behind is nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from nightshift.embedded.children import Child, Command
from nightshift.embedded.logs import last_lines
from tests.support.processes import wait_for

RUNNER = """
import os, sys, time
from pathlib import Path
from nightshift.embedded.children import Child, Command
script, folder = sys.argv[1:]
child = Child(Command("child", [sys.executable, "-c", script], dict(os.environ), Path(folder), grace_s=0.5))
time.sleep(600)
"""

STUBBORN_FAMILY = """
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
pathlib.Path("child" if child else "grandchild").write_text(str(os.getpid()))
time.sleep(600)
"""

ORDERLY = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("stopped").touch()
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("started").touch()
time.sleep(600)
"""


def lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def child_of(folder: Path, script: str, grace_s: float = 30.0, log: Path | None = None) -> Child:
    command = [sys.executable, "-c", script]
    return Child(Command("child", command, dict(os.environ), folder, grace_s=grace_s, log=log))


def wait_for_pid(file: Path) -> int:
    wait_for(lambda: file.exists() and file.read_text() != "", f"{file.name} to start")
    return int(file.read_text())


def test_a_runner_that_is_killed_takes_child_and_grandchild_along(tmp_path: Path) -> None:
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, STUBBORN_FAMILY, str(tmp_path)])
    family = [wait_for_pid(tmp_path / name) for name in ("child", "grandchild")]
    assert all(map(lives, family))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    wait_for(lambda: not any(map(lives, family)), "the family to end")


def test_a_guard_that_is_killed_takes_the_child_along(tmp_path: Path) -> None:
    child = child_of(tmp_path, ORDERLY.replace("touch()", "write_text(str(__import__('os').getpid()))"))
    pid = wait_for_pid(tmp_path / "started")
    os.kill(child._process.pid, signal.SIGKILL)
    wait_for(lambda: not lives(pid), "the child to end")


def test_asked_to_stop_it_may_do_so_in_its_own_way(tmp_path: Path) -> None:
    child = child_of(tmp_path, ORDERLY)
    wait_for((tmp_path / "started").exists, "the child to start")
    child.ask_to_stop()
    assert child.wait(30)
    assert (tmp_path / "stopped").exists()
    assert child.exit_code == 3


def test_asked_in_vain_it_is_killed_with_its_children(tmp_path: Path) -> None:
    child = child_of(tmp_path, STUBBORN_FAMILY, grace_s=0.2)
    family = [wait_for_pid(tmp_path / name) for name in ("child", "grandchild")]
    child.ask_to_stop()
    assert child.wait(30)
    assert child.exit_code == 128 + signal.SIGKILL
    wait_for(lambda: not any(map(lives, family)), "the family to end")


def test_kill_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    child = child_of(tmp_path, STUBBORN_FAMILY, grace_s=3600)
    wait_for_pid(tmp_path / "grandchild")
    child.ask_to_stop()
    child.kill()
    assert child.wait(30)


def test_a_child_that_ends_leaves_nobody_in_its_group(tmp_path: Path) -> None:
    script = "import os, pathlib, time\nif os.fork() == 0:\n    time.sleep(600)\n"
    script += "pathlib.Path('group').write_text(str(os.getpgrp()))"
    child = child_of(tmp_path, script)
    group = wait_for_pid(tmp_path / "group")
    assert child.wait(30)
    assert child.exit_code == 0

    def is_empty() -> bool:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(is_empty, "the group to be empty")


def test_a_command_that_does_not_exist_says_so_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child(Command("child", ["/no/such/command"], dict(os.environ), tmp_path, log=log))
    assert child.wait(30)
    assert child.exit_code == 127
    assert "/no/such/command" in last_lines(log, 5)


def test_an_open_socket_is_passed_on(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    script = f"import os; os.write({writing}, b'hello')"
    command = [sys.executable, "-c", script]
    child = Child(Command("child", command, dict(os.environ), tmp_path, passed_fds=(writing,)))
    assert child.wait(30)
    os.close(writing)
    assert os.read(reading, 10) == b"hello"
    os.close(reading)


def test_a_child_is_killed_at_once_however_shortly_it_has_run(tmp_path: Path) -> None:
    for after_ms in range(0, 60, 3):
        child = child_of(tmp_path, "import time; time.sleep(600)")
        time.sleep(after_ms / 1000)
        child.kill()
        assert child.wait(5.0), after_ms
