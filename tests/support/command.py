"""The `nightshift` command as a user runs it, in a home and a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.support.processes import wait_for
from tests.support.samples import astronaut_jpeg

COMMAND = str(Path(sys.executable).with_name("nightshift"))


@dataclass
class Nightshift:
    """Runs the command with one home.

    Attributes:
        folder: working folder; the home is `home` in it.
        settings: further NIGHTSHIFT_* variables, without the prefix.
        command: the program; by default this environment's.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    command: Path = Path(COMMAND)

    @property
    def home(self) -> Path:
        """The home."""
        return self.folder / "home"

    def environment(self) -> dict[str, str]:
        """One worker process with one thread that times nothing: two cores are shared with other tests."""
        chosen = {"RUNTIME": "openvino", "PRECISION": "fp32"}
        settings = {"HOME": str(self.home), "WORKERS": "1", "THREADS": "1", **chosen, **self.settings}
        return {**os.environ, **{f"NIGHTSHIFT_{name}": value for name, value in settings.items()}}

    def start(self, *arguments: str, **files: int) -> subprocess.Popen[str]:
        """Start the command in a session of its own."""
        return subprocess.Popen(
            [str(self.command), *arguments],
            cwd=self.folder,
            env=self.environment(),
            text=True,
            start_new_session=True,
            stdout=files.get("stdout", subprocess.PIPE),
            stderr=files.get("stderr", subprocess.PIPE),
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=240)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command during the block, its standard error in `NAME.stderr`; SIGTERM at the end."""
        with (self.folder / f"{arguments[0]}.stderr").open("w") as err:
            process = self.start(*arguments, stdout=subprocess.DEVNULL, stderr=err.fileno())
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def succeeded(self) -> int:
        """Photos that the home's database has results of."""
        engine = create_engine(f"sqlite:///{self.home / 'nightshift.db'}")
        try:
            with suppress(OperationalError), engine.connect() as connection:
                query = text("SELECT count(*) FROM photos WHERE status = 'succeeded'")
                return int(connection.execute(query).scalar() or 0)
            return 0
        finally:
            engine.dispose()

    def processes(self) -> list[str]:
        """Every process that was started for this home, by its environment or its working folder.

        Valkey writes its title over its environment.
        """
        marker = os.fsencode(f"NIGHTSHIFT_HOME={self.home}")
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            with suppress(OSError):
                here = (process / "cwd").readlink().is_relative_to(self.home)
                if here or marker in (process / "environ").read_bytes().split(b"\0"):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    # A zombie has no command line any more.
                    found += [f"{process.name} {command}"] if command.strip() else []
        return found

    def wait_until_gone(self) -> None:
        """Wait for the last process of this home."""
        wait_for(lambda: not self.processes(), "every process of the home to end", 60)


def results(folder: Path) -> list[dict[str, Any]]:
    """The lines of a results.jsonl."""
    # At the line feed and nowhere else.
    return [json.loads(line) for line in (folder / "results.jsonl").read_bytes().split(b"\n") if line]


def write_portraits(folder: Path, number: int) -> None:
    """So many different files with one face each."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(number):
        (folder / f"portrait-{index:02}.jpg").write_bytes(astronaut_jpeg(comment=str(index)))
