"""A worker that gets ready while the command still looks what there is to do: it needs as long for that.

Python's imports are most of what a first photo waits for. Half of them are the worker's, and need nothing of
what is asked for.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from nightshift.embedded.children import Child, Command
from nightshift.embedded.environment import environment_of_children
from shared.settings import REPOSITORY

WORKERS_STOP_S = 25.0
"""A worker gives its batch back before the next photo; a photo that hangs is not waited for longer."""

_ARGUMENTS = (sys.executable, "-m", "worker.early")


class EarlyWorker:
    """A worker's first process, which knows no other setting yet; without `become` it ends with the block.

    Args:
        home: whose it will be, where that is given; it is not looked for yet.
    """

    def __init__(self, home: Path | None) -> None:
        reading, writing = os.pipe()
        self._tell = os.fdopen(writing, "wb")
        self._child: Child | None = None
        command = Command(
            "early worker",
            (*_ARGUMENTS, str(reading)),
            {**environment_of_children(), **_of_home(home)},
            REPOSITORY,
            Path(os.devnull),
            grace_s=WORKERS_STOP_S,
            passed_fds=(reading,),
        )
        try:
            # What it cannot be started for is said of the worker that is started later in its place.
            with suppress(OSError):
                self._child = None if _is_tight() else Child(command)
        finally:
            os.close(reading)

    def become(self, command: Command) -> Child | None:
        """That command's process, as if it had been started by it; None where it cannot be.

        Args:
            command: a Python module, with a log; its environment has what all children's have.
        """
        child, self._child = self._child, None
        if child is None or child.exit_code is not None:
            return None
        _python, _dash_m, *arguments = command.arguments
        wanted = {"environment": dict(command.environment), "arguments": arguments, "log": str(command.log)}
        try:
            with self._tell:
                self._tell.write(json.dumps(wanted).encode())
        except OSError:
            child.kill()
            return None
        child.command = command
        return child

    def __enter__(self) -> EarlyWorker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._tell.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait(5.0)


def _is_tight() -> bool:
    """Whether memory is limited for each process, which each is to find out, and say, for itself."""
    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def _of_home(home: Path | None) -> dict[str, str]:
    """By which processes of a home are told from others'."""
    given = str(home) if home else os.environ.get("NIGHTSHIFT_HOME")
    return {"NIGHTSHIFT_HOME": given} if given else {}
