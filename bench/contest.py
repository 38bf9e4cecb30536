"""The contenders as the benchmark's runner sees them: processes that wait until it is their turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.error_codes import BenchCode
from bench.mode import MODES, Mode
from bench.protocol import Pass, Setup
from nightshift.words.errors import NightshiftError
from shared.settings import REPOSITORY

_STOP_S = 60.0
_LOG_BYTES = 4096
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """Who takes part.

    Attributes:
        name: short, for the command line and the results.
        title: as the document names it.
        flow: `module:Class`, see `bench.protocol.Flow`.
        workers: worker processes, where there are any.
        enlarged: reads faces with the bundle for larger crops instead of the bundle under test.
        labels: its labels are compared with those of the plain network.
        rereads: it can read its own crops with the plain network.
    """

    name: str
    title: str
    flow: str
    workers: int = 1
    enlarged: bool = False
    labels: bool = False
    rereads: bool = False


class Contender:
    """A started contender; one at a time is asked.

    Args:
        entry: who it is.
        setup: what it is told.
        python: interpreter of its environment.
        log: file for all it says beside its answers.
        mode: what is kept from it.

    Raises:
        NightshiftError: `contender_failed`, here or from any call; the last lines of its log are shown.
    """

    def __init__(self, entry: Entry, setup: Setup, python: Path, log: Path, mode: Mode = MODES[""]) -> None:
        self.entry = entry
        self._log = log
        with log.open("wb") as file:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                    [str(python), "-m", "bench.contender", entry.flow],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    env=environment(os.environ, mode),
                    cwd=REPOSITORY,
                    text=True,
                    encoding="utf-8",
                )
            except OSError as error:
                raise NightshiftError(
                    BenchCode.CONTENDER_FAILED, f"{entry.name}: {python}: {error}"
                ) from error
        try:
            self.about: dict[str, str] = self._ask(json.dumps(setup.as_json()))["ready"]
        except BaseException:
            self.stop(within_s=0.0)
            raise

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def run(self) -> Pass:
        """One timed pass."""
        return self._passed("run")

    def read(self) -> Pass:
        """One pass that is not timed, with readings of the plain network."""
        return self._passed("read")

    def stop(self, within_s: float = _STOP_S) -> None:
        """End it: kindly, and after `within_s` seconds not."""
        with suppress(BrokenPipeError):
            self._pipe(self._process.stdin).close()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipe(self._process.stdout).close()

    def _passed(self, word: str) -> Pass:
        document = self._ask(word)
        try:
            return Pass.from_json(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._failure(f"an answer of another shape ({error!r})") from error

    def _ask(self, line: str) -> dict[str, Any]:
        try:
            stdin = self._pipe(self._process.stdin)
            stdin.write(line + "\n")
            stdin.flush()
        except BrokenPipeError:
            pass  # what it said last says why
        text = self._pipe(self._process.stdout).readline()
        if not text:
            self._process.wait()
            raise self._failure(f"it ended with status {self._process.returncode}")
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise self._failure("an answer that is not JSON") from error
        if not isinstance(answer, dict) or "error" in answer:
            raise self._failure(
                str(answer["error"]) if isinstance(answer, dict) else "an answer of another shape"
            )
        return answer

    def _failure(self, reason: str) -> NightshiftError:
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _LOG_BYTES))
            last = file.read().decode("utf-8", "replace").splitlines()[-_LOG_LINES:]
        return NightshiftError(BenchCode.CONTENDER_FAILED, "\n".join([f"{self.entry.name}: {reason}", *last]))

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None  # noqa: S101 - asked for when it was started
        return pipe


def environment(inherited: Mapping[str, str], mode: Mode = MODES[""]) -> dict[str, str]:
    """This checkout's code, no settings but the mode's, and every library's own way of waiting."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith("NIGHTSHIFT_") and name != "OMP_WAIT_POLICY"
    }
    return {**kept, "PYTHONPATH": str(REPOSITORY), **mode.environment}


def python_here() -> Path:
    """The interpreter of Nightshift's own environment."""
    return Path(sys.executable)
