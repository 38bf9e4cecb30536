"""What `make run` refuses before it downloads anything, and what it says that it will download."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from shared.settings import REPOSITORY


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Not as part of the make that may have started the tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["PHOTOS="], "Say which photos"),
        (["PHOTOS=/nowhere/at all"], "There is nothing at PHOTOS=/nowhere/at all"),
        (["PHOTOS=.", "GPU=1", "NVIDIA="], "GPU=1, but this machine shows no NVIDIA device"),
        (["PHOTOS=.", "GPU=yes"], "GPU is 1, 0 or left out, not yes"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_installed(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    ran = make("run", *arguments, f"VENV={tmp_path / 'venv'}")
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Installing" not in ran.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("arguments", "extra", "size"),
    [
        (["NVIDIA="], "cpu", "175 MB to download"),
        (["NVIDIA=/dev/nvidiactl"], "gpu", "3,100 MB to download"),
        (["NVIDIA=/dev/nvidiactl", "GPU=1"], "gpu", "3,100 MB to download"),
        (["NVIDIA=/dev/nvidiactl", "GPU=0"], "cpu", "175 MB to download"),
    ],
)
def test_the_machine_or_its_user_chooses_and_the_size_is_said_first(
    tmp_path: Path, arguments: list[str], extra: str, size: str
) -> None:
    ran = make("--dry-run", "run", "PHOTOS=.", *arguments, f"VENV={tmp_path / 'venv'}")
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    (said,) = (number for number, line in enumerate(lines) if size in line)
    (done,) = (number for number, line in enumerate(lines) if f'--editable ".[{extra}]"' in line)
    assert said < done
    (compiled,) = (number for number, line in enumerate(lines) if "-m worker.compile_loops" in line)
    assert done < compiled
    assert "--quiet" not in lines[done]


@pytest.mark.parametrize(("code", "made"), [(0, 0), (3, 0), (2, 2), (4, 2), (130, 2)])
def test_a_run_in_which_some_photos_failed_is_no_error_of_make(tmp_path: Path, code: int, made: int) -> None:
    """A command that ends with that code stands in the environment, which is up to date."""
    environment = tmp_path / "venv"
    command = environment / "bin" / "nightshift"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\nexit {code}\n")
    command.chmod(0o755)
    (command.parent / "python").write_text("")
    (environment / ".installed-cpu").write_text("")
    ran = make("run", "PHOTOS=.", "GPU=0", f"VENV={environment}")
    assert ran.returncode == made
    assert ("***" in ran.stderr) == bool(made)
