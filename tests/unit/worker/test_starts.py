"""What a worker says at its end."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = "from worker.starts import end_worker; end_worker('bad: \\x1b[2Jdown\\nforged', lambda: None, 0)"


def test_the_reason_of_an_end_steers_no_terminal_and_is_one_line() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "nightshift worker: bad: \\x1b[2Jdown\\nforged\n"
