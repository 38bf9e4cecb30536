import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nightshift.embedded.home import Home
from nightshift.words.errors import Conflict, InvalidInput

HOLD = """
import sys, time
from pathlib import Path
from nightshift.embedded.home import Home
with Home(Path(sys.argv[1]), "serve"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_home_is_private(tmp_path: Path) -> None:
    with Home(tmp_path / "deep" / "home", "run") as home:
        assert home.path.stat().st_mode & 0o777 == 0o700


def test_a_second_runner_is_told_who_has_it_until_that_one_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "home")], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(
            Conflict, match=f"in use by process {holder.pid}, `nightshift serve`: "
        ) as refused:
            Home(tmp_path / "home", "run").__enter__()
        assert refused.value.code == "home_in_use"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with Home(tmp_path / "home", "run"):
        assert (tmp_path / "home" / "lock").read_text().split()[0] == str(os.getpid())


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    mode = tmp_path.stat().st_mode
    with pytest.raises(InvalidInput, match="holds other files"):
        Home(tmp_path, "run").__enter__()
    assert tmp_path.stat().st_mode == mode


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="File exists"):
        Home(tmp_path / "file", "run").__enter__()


def test_a_home_that_was_open_is_closed_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o777)
    with Home(tmp_path, "run"):
        assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert capsys.readouterr().err == ""


def test_a_home_that_cannot_be_closed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on shares and sticks, where chmod does nothing."""
    tmp_path.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with Home(tmp_path, "run"):
        assert f"everybody may write to the home {tmp_path}" in capsys.readouterr().err


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give folders away")
def test_a_home_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    os.chown(tmp_path, 4711, 4711)
    with Home(tmp_path, "run"):
        assert "user 4711, whose folder it is, may write to the home" in capsys.readouterr().err
    monkeypatch.setattr(os, "geteuid", lambda: 4712)
    with pytest.raises(InvalidInput, match="belongs to somebody else") as refused:
        Home(tmp_path, "run").__enter__()
    assert refused.value.code == "bad_home"


def test_a_holder_of_a_version_before_is_a_process(tmp_path: Path) -> None:
    with Home(tmp_path, "run"):
        (tmp_path / "lock").write_text("4711 host/realm/4711.1\n")
        with pytest.raises(Conflict, match=r"in use by process 4711: wait until it has ended, or name"):
            Home(tmp_path, "run").__enter__()
