"""The units in deploy/systemd start the processes that there are, and keep them closed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.drawing import AT_ONCE
from shared.processes.command_lines import api_command, sweeper_command, worker_command
from shared.settings import REPOSITORY, Settings
from tests.support.requirements import require

UNITS = REPOSITORY / "deploy" / "systemd"
INSTALLED = "/opt/nightshift"
MOST_EXPOSED = 15
"""Tenths, of ten: `systemd-analyze security` calls up to 20 safe enough to say OK."""


def settings_in(name: str) -> dict[str, str]:
    lines = (UNITS / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def command_of(process: str) -> list[str]:
    text = (UNITS / f"nightshift-{process}.service").read_text().replace("\\\n", " ")
    found = re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert found
    workers = settings_in("nightshift.env")["NIGHTSHIFT_WORKERS"]
    line = found[1].replace("%%", "%").replace("${NIGHTSHIFT_WORKERS}", workers)
    program, *arguments = shlex.split(line)
    assert program == f"{INSTALLED}/.venv/bin/python"
    return [sys.executable, *arguments]


def test_the_commands_are_those_of_the_runner() -> None:
    given = settings_in("nightshift.env")
    settings = Settings(workers=int(given["NIGHTSHIFT_WORKERS"]))
    assert command_of("api") == api_command(settings)
    assert command_of("worker") == worker_command(settings)
    assert command_of("sweeper") == sweeper_command()
    assert command_of("migrate") == [sys.executable, "-m", "shared.db.migrate"]


def test_what_the_units_are_given_are_settings() -> None:
    given = {**settings_in("nightshift.env"), **settings_in("api.env")}
    commented = re.findall(r"^#(NIGHTSHIFT_\w+)=", (UNITS / "api.env").read_text(), re.MULTILINE)
    for name in [*given, *commented]:
        assert name.removeprefix("NIGHTSHIFT_").lower() in Settings.model_fields, name


def test_the_root_key_is_the_apis_alone() -> None:
    having = [path.name for path in UNITS.glob("*.service") if "api.env" in path.read_text()]
    assert having == ["nightshift-api.service"]
    assert not {name for name in settings_in("nightshift.env") if re.search("KEY|SECRET", name)}


MEMORY_DENY_WRITE_EXECUTE = """
import ctypes, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(3)
"""
DRAWN = """
import io, sys
from pathlib import Path
from PIL import Image
from api.drawing import Drawing
from shared.settings import Settings
photo = io.BytesIO()
Image.linear_gradient("L").resize((3000, 2000)).convert("RGB").save(photo, "JPEG")
sys.stdout.buffer.write(Drawing(Settings(home=Path(sys.argv[1]))).draw(photo.getvalue(), [])[:4])
"""


def test_the_api_may_draw_what_it_is_asked_for(tmp_path: Path) -> None:
    unit = settings_in("nightshift-api.service")
    forbids = unit["MemoryDenyWriteExecute"] == "yes"
    program = (MEMORY_DENY_WRITE_EXECUTE if forbids else "") + DRAWN
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, cwd=REPOSITORY, check=False
    )
    require(done.returncode != 3, "no PR_SET_MDWE", essential=False)
    assert done.stdout == b"RIFF", done.stderr.decode()
    # The kernel ends what draws, and not the API with it; nor the sweeper with what sends a message.
    assert unit["OOMPolicy"] == settings_in("nightshift-sweeper.service")["OOMPolicy"] == "continue"
    most = Settings().max_photo_memory * AT_ONCE
    assert int(unit["MemoryMax"].removesuffix("G")) * 2**30 > most + 2**30


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units as if they were installed from this checkout."""
    require(shutil.which("systemd-analyze"), "no systemd-analyze", essential=False)
    made = []
    for unit in sorted(UNITS.glob("*.service")):
        made.append(tmp_path / unit.name)
        python = unit.read_text().replace(f"{INSTALLED}/.venv/bin/python", sys.executable)
        made[-1].write_text(python.replace(INSTALLED, str(REPOSITORY)))
    assert len(made) == 4
    return made


def test_systemd_takes_them(units: list[Path]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_they_are_closed(units: list[Path]) -> None:
    for unit in units:
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
