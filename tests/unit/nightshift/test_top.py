"""The command ends with a sentence and a code of the table, whatever its streams, folders and user are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.answering_server import Answer, Received, serving

COMMAND = str(Path(sys.executable).with_name("nightshift"))


def run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell, with the command as `$N`."""
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "N": COMMAND, "NIGHTSHIFT_HOME": str(folder / "home"), **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )


def no_traceback(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    return said


def test_the_package_is_the_command(tmp_path: Path) -> None:
    commands = ("$N submit", f"{sys.executable} -m nightshift submit")
    called, as_a_module = (run(command, tmp_path) for command in commands)
    assert no_traceback(as_a_module).startswith("Usage: nightshift submit [OPTIONS]")
    assert (
        (as_a_module.returncode, as_a_module.stderr)
        == (called.returncode, called.stderr)
        == (2, called.stderr)
    )


def test_words_of_other_programs_are_answered_with_ours() -> None:
    from nightshift.cli import app
    from nightshift.top import _OURS

    commands = {info.name or info.callback.__name__ for info in app.registered_commands if info.callback}
    groups = {info.name for info in app.registered_groups}
    assert not set(_OURS) & (commands | groups)
    assert {words.split()[0] for words in _OURS.values()} <= commands | groups
    for word in ("jobs", "Upload", "start"):
        said = CliRunner().invoke(app, [word, "folder", "--quickly"])
        assert said.exit_code == 2
        assert f"No such command '{word}'. Did you mean '{_OURS[word.lower()]}'?" in said.output
    assert "No such command 'nonsense'.\n" in CliRunner().invoke(app, ["nonsense"]).output
    assert "Did you mean 'submit'?" in CliRunner().invoke(app, ["sumbit"]).output


@pytest.mark.parametrize(
    "command", ["models list", "models list --json", "--help", "run --help", "--version"]
)
def test_output_that_is_full(tmp_path: Path, command: str) -> None:
    done = run(f"$N {command} >/dev/full", tmp_path)
    assert (
        no_traceback(done)
        == "nightshift: what was to be printed is lost: No space left on device (output_lost)\n"
    )
    assert done.returncode == 74


@pytest.mark.parametrize("command", ["models list --json", "--help"])
def test_output_that_nobody_reads(tmp_path: Path, command: str) -> None:
    done = run(f"$N {command} | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (no_traceback(done), done.returncode) == ("", 74)


@pytest.mark.parametrize("command", ["models list", "models list --json", "--version"])
@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_output_that_is_closed(tmp_path: Path, command: str, closed: str) -> None:
    done = run(f"$N {command} {closed}", tmp_path)
    assert "lost: standard output is closed (output_lost)" in no_traceback(done)
    assert done.returncode == 74


KEY = "s3cr3t-of-the-new-key-that-nobody-sees"
MADE = {
    "id": "key_1",
    "name": "n",
    "owner": "local",
    "scopes": ["read"],
    "created_at": "2026-01-01T00:00:00Z",
}
JOB = {"id": "job_1", "state": "queued", "created_at": "2026-01-01T00:00:00Z", "counts": {"total": 1}}


@pytest.mark.parametrize("lost", [">&-", ">/dev/full"])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_key_that_nobody_sees_is_revoked(tmp_path: Path, lost: str, form: str) -> None:
    def answer(asked: Received, _: int) -> Answer:
        return Answer(201, {**MADE, "key": KEY}) if asked.method == "POST" else Answer(200, MADE)

    with serving(answer) as server:
        done = run(f"$N keys create n --server {server.url} {form} {lost}", tmp_path)
        asked = [(request.method, request.path) for request in server.requests]
    assert asked == [("POST", "/v1/keys"), ("DELETE", "/v1/keys/key_1")]
    said = no_traceback(done)
    assert "nobody has seen the key key_1: it is revoked" in said
    assert "keep it" not in said
    assert KEY not in said
    assert done.returncode == 74


@pytest.mark.parametrize("lost", [">&-", ">/dev/full"])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_job_whose_id_could_not_be_printed_is_named(tmp_path: Path, lost: str, form: str) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo")

    def answer(asked: Received, _: int) -> Answer:
        return Answer(200, {"added": 1, "total": 1} if asked.path.endswith("/in-place") else JOB)

    with serving(answer) as server:
        done = run(f"$N submit a.jpg --in-place --server {server.url} {form} {lost}", tmp_path)
    assert "job_1 is submitted" in no_traceback(done)
    assert done.returncode == 74


@pytest.mark.parametrize("closed", [">&-", "2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_no_refusal(tmp_path: Path, closed: str) -> None:
    refused = run(f"$N run /no/such {closed}", tmp_path)
    no_traceback(refused)
    assert refused.returncode == 2


def test_a_folder_that_is_gone_from_under_the_command(tmp_path: Path) -> None:
    for command in ("run x", "run --resume", "models list", "results job_1 --out x"):
        done = run(f"mkdir gone; cd gone; rmdir ../gone; $N {command}", tmp_path)
        assert no_traceback(done).startswith("nightshift: ")
        assert done.returncode == 2


def test_names_that_are_too_long(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    long = "n" * 300
    for command, said in (
        (f"run {long}", "no such file or folder"),
        (f"submit {long}", "no such file or folder"),
        (f"run a.jpg --out {long}", "File name too long"),
        (f"run a.jpg --home {long}", "File name too long"),
    ):
        done = run(f"$N {command}", tmp_path)
        assert said in no_traceback(done), command
        assert done.returncode == 2


@pytest.mark.parametrize("columns", ["0", "-1", "wide", ""])
def test_a_terminal_of_no_width(tmp_path: Path, columns: str) -> None:
    done = run("$N models list", tmp_path, COLUMNS=columns, TERM="dumb", LANG="", LC_ALL="")
    assert no_traceback(done) == ""
    assert b"utkface-v2s" in done.stdout


NOBODY = """
import os, pwd, sys
def getpwuid(number):
    raise KeyError(number)
pwd.getpwuid = getpwuid
for name in ("HOME", "NIGHTSHIFT_HOME"):
    os.environ.pop(name, None)
sys.argv = ["nightshift", *sys.argv[1:]]
from nightshift.cli import app
app()
"""


def test_a_user_without_a_home(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for arguments in (["run", "a.jpg"], ["run", "~/a.jpg"], ["serve"], ["admin", "workers"]):
        done = subprocess.run(
            [sys.executable, "-c", NOBODY, *arguments], cwd=tmp_path, capture_output=True, check=False
        )
        said = no_traceback(done)
        assert "NIGHTSHIFT_HOME" in said or "no such file" in said
        assert done.returncode == 2


BROKEN = """
import sys
import nightshift.bundles.commands as commands
def broken():
    raise ZeroDivisionError("of ours")
commands.load_settings = broken
sys.argv = ["nightshift", "models", "list"]
from nightshift.cli import app
app()
"""


def test_a_fault_of_our_own_is_a_sentence_and_its_details_are_in_a_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    said = no_traceback(done)
    assert done.returncode == 1
    assert said.startswith("nightshift: this is a fault of Nightshift's own: ZeroDivisionError: of ours;")
    (log,) = tmp_path.glob("nightshift-*.log")
    assert str(log) in said
    assert "ZeroDivisionError: of ours" in log.read_text()


def test_a_descriptor_that_was_closed_is_given_to_no_file_of_ours(tmp_path: Path) -> None:
    script = (
        "from nightshift import streams; streams.prepare(); import os; "
        f"fd = os.open({str(tmp_path / 'db')!r}, os.O_CREAT | os.O_RDWR); print('chatter'); os._exit(fd)"
    )
    done = subprocess.run(["bash", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, script], check=False)
    assert done.returncode > 2
    assert (tmp_path / "db").read_bytes() == b""
