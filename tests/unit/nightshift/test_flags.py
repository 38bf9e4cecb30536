"""An option is said once: the job, the setting and the flag have the same bounds, words and default."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from docs import command_page
from nightshift.cli import app
from nightshift.embedded.run import Request, Run
from nightshift.exits import Exit
from nightshift.words.clock import local_time
from nightshift.words.options import AnalysisOptions, JobOptions
from shared.settings import Settings, in_force, load_settings
from tests.support.pages import assert_kept

OPTIONS = list(AnalysisOptions.model_fields)
BEYOND = {"min_confidence": 1.5, "min_face_px": 5000, "height": 5000, "tilt_threshold_deg": 200}


def shown(*command: str, **environment: str) -> str:
    done = CliRunner().invoke(app, [*command, "--help"], env=environment, terminal_width=200)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("name", OPTIONS)
def test_the_setting_and_the_flag_are_the_options(name: str) -> None:
    option, setting = AnalysisOptions.model_fields[name], Settings.model_fields[name]
    words = (option.description or "").replace("`", "")

    assert (setting.description, setting.default) == (option.description, option.default)
    assert f"{words} [default: {option.default}; " in shown("run")


@pytest.mark.parametrize("name", OPTIONS)
def test_what_is_beyond_its_bounds_is_refused_everywhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        JobOptions.model_validate({name: BEYOND[name]})
    with pytest.raises(ValidationError):
        Settings.model_validate({name: BEYOND[name]})
    flag = f"--{name.replace('_', '-')}"
    refused = CliRunner().invoke(app, ["run", str(tmp_path), flag, str(BEYOND[name])])
    assert refused.exit_code == 2
    assert flag in refused.stderr


def test_flags_become_the_jobs_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"min_confidence": 0.5, "min_face_px": 40, "height": 720, "tilt_threshold_deg": 20.0}
    seen: list[Request] = []

    class Noted(Run):
        def execute(self) -> Exit:
            seen.append(self._request)
            return Exit.SUCCEEDED

    monkeypatch.setattr("nightshift.embedded.run.Run", Noted)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
    for given in (flags, [], ["--no-reuse"]):
        done = CliRunner().invoke(app, ["run", str(tmp_path), *given])
        assert done.exit_code == 0, done.output

    assert list(wanted) == OPTIONS
    assert [request.options for request in seen] == [wanted, {}, {"reuse": False}]


def test_help_shows_the_defaults_in_force() -> None:
    text = shown("run", NIGHTSHIFT_HEIGHT="720", NIGHTSHIFT_BUNDLE="mine", nightshift_min_face_px="40")

    assert "[default: 720; 64<=x<=4320]" in text
    assert "[default: mine]" in text
    assert "[default: 40; 12<=x<=1080]" in text
    assert "[default: /srv/a:/srv/b]" in shown("serve", NIGHTSHIFT_IN_PLACE_ROOTS="/srv/a:/srv/b")


def test_help_is_there_where_a_setting_is_wrong() -> None:
    assert "[default: many; " in shown("run", NIGHTSHIFT_HEIGHT="many")


def test_what_is_in_force_names_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", "s" * 40)
    monkeypatch.setenv("NIGHTSHIFT_DATABASE_URL", "postgresql+psycopg://me:secret@db/x")

    assert not {"api_key", "database_url", "broker_url"} & in_force().keys()
    assert in_force()["home"] == Path("~/.nightshift")


def test_a_job_that_chooses_nothing_has_the_settings_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().default_job_options() == JobOptions()
    monkeypatch.setenv("NIGHTSHIFT_TILT_THRESHOLD_DEG", "20")
    assert load_settings().default_job_options() == JobOptions(tilt_threshold_deg=20)


def test_the_page_has_every_command_and_is_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is set where the page is made does not show in it.
    monkeypatch.setenv("NIGHTSHIFT_HEIGHT", "720")
    whole = assert_kept(command_page, "PAGE", tmp_path, monkeypatch, ("--no-reuse", "--reuse-not"))
    for path in command_page.commands():
        assert f"## {' '.join(('nightshift', *path))}\n" in whole


def test_a_run_takes_all_that_may_be_wished_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Request] = []

    class Noted(Run):
        def execute(self) -> Exit:
            seen.append(self._request)
            return Exit.SUCCEEDED

    monkeypatch.setattr("nightshift.embedded.run.Run", Noted)
    flags = ["--label", "party", "--window", "22:00-06:00 UTC", "--metadata", "who=me", "--metadata", "x=a=b"]
    assert CliRunner().invoke(app, ["run", str(tmp_path), *flags]).exit_code == 0
    assert seen[0].about == {
        "label": "party",
        "processing_window": "22:00-06:00 UTC",
        "metadata": {"who": "me", "x": "a=b"},
    }
    refused = CliRunner().invoke(app, ["run", str(tmp_path), "--metadata", "who"])
    assert refused.exit_code == 2
    assert "NAME=VALUE" in refused.stderr


def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "in" / "b.mov").write_bytes(b"x")
    arguments = ["run", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--height", "720", "--dry-run"]
    arguments += ["--home", str(tmp_path / "home")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    for part in (
        "1 photo",
        "a.jpg",
        "1 video (.mov)",
        str(tmp_path / "out"),
        "height 720",
        "faces-mobilenet",
    ):
        assert part in done.stdout
    planned = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (planned["photos"], planned["options"]["height"]) == (["a.jpg"], 720)
    sent = ["submit", str(tmp_path / "in"), "--dry-run", "--server", "http://127.0.0.1:9"]
    assert "a.jpg" in CliRunner().invoke(app, sent).stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_dry_run_says_what_was_wished_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    run = [
        "run",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
        "--home",
        str(tmp_path / "home"),
        "--dry-run",
    ]
    submit = ["submit", str(tmp_path), "--server", "http://127.0.0.1:9", "--dry-run"]
    wishes = ["--label", "summer party", "--priority", "-3", "--window", "22:00-06:00 Europe/Berlin"]
    for command in (run, submit):
        told = CliRunner().invoke(app, [*command, *wishes, "--deadline", "8h"])
        assert told.exit_code == 0, told.stderr
        rows = dict(re.findall(r"^(Label|Priority|Window|Deadline) +(.+?) *$", told.stdout, re.MULTILINE))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d \S+, if it begins now", rows.pop("Deadline"))
        assert rows == {"Label": "summer party", "Priority": "-3", "Window": "22:00-06:00 Europe/Berlin"}
        at = CliRunner().invoke(app, [*command, "--deadline", "2031-12-24T06:00:00Z"])
        moment = datetime(2031, 12, 24, 6, tzinfo=UTC)
        assert re.search(rf"^Deadline +{re.escape(local_time(moment))} *$", at.stdout, re.MULTILINE)
        assert not re.search("^(Label|Priority|Window)", at.stdout, re.MULTILINE)
        planned = json.loads(CliRunner().invoke(app, [*command, *wishes, "--json"]).stdout)
        assert planned["wishes"] == {
            "label": "summer party", "priority": -3, "processing_window": "22:00-06:00 Europe/Berlin"
        }  # fmt: skip
    # Which job is there already has its own.
    there = CliRunner().invoke(app, [*submit, *wishes, "--job", "job_1"])
    assert (there.exit_code, "summer party" in there.stdout) == (0, False)
