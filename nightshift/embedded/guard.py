"""Runs one command and sees to it that nothing of it outlives the runner.

The runner starts this file, by path and without site-packages, in front of every child. Its only
tie to the runner is a pipe: the runner keeps the writing end, and the kernel closes it whatever
the runner dies of. Then, or on SIGTERM, the command is asked to stop and, after a while, made to,
with every process of its group. SIGQUIT shortens the wait to nothing.

    guard.py LIFELINE_FD GRACE_SECONDS COMMAND...

Only the command's own process is asked: gunicorn and Celery stop their children in their own way,
which a signal to the whole group would upset.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code, 128 + N when signal N ended it."""
    lifeline, grace_s, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    os.set_inheritable(lifeline, False)
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    received: set[int] = set()
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, lambda number, _: received.add(number))

    child = _start(command)
    watched = [lifeline, woken]
    asked_to_stop = False
    kill_at = float("inf")
    while (code := _exit_code(child)) is None:
        if signal.SIGQUIT in received or time.monotonic() >= kill_at:
            _signal_group(child, signal.SIGKILL)
        # Woken by the pipe, by a signal, or in time for the kill. A command that has only just begun has no
        # group yet, and is killed again.
        kill_in_s = 0.0 if signal.SIGQUIT in received else kill_at - time.monotonic()
        wait_s = min(max(0.05, kill_in_s), 10.0)
        ready, _, _ = select.select(watched, [], [], wait_s)
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
        runner_died = lifeline in ready
        if runner_died:
            watched.remove(lifeline)
        if (runner_died or signal.SIGTERM in received) and not asked_to_stop:
            asked_to_stop = True
            kill_at = time.monotonic() + grace_s
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
    # Whatever the command left behind in its group.
    _signal_group(child, signal.SIGKILL)
    return code


def _start(command: list[str]) -> int:
    guard = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        _die_with_parent()
        if os.getppid() != guard:
            os._exit(125)
        os.execvp(command[0], command)  # noqa: S606 - the runner's own command line, no shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _die_with_parent() -> None:
    """Should the guard itself be killed, take the command along (Linux only; the pipe is the rule)."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_code(child: int) -> int | None:
    """None while the child runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if not pid:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _signal_group(child: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
