"""What is given to the command and cannot be meant so: refused in a sentence, before anything is done."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nightshift import Client
from nightshift.cli import app
from nightshift.given import labelled
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import NewJob
from shared.settings import load_settings
from tests.support.answering_server import Answer, Received, serving


def invoke(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=typed)


def not_found(_asked: Received, _number: int) -> Answer:
    return Answer(404, {"code": "job_not_found", "detail": "no job job_1"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", ""),
        ("run", "a", "--out", ""),
        ("run", "a", "--home", ""),
        ("submit", ""),
        ("models", "compare", "a", "b", ""),
        ("report", "job_1", "--out", ""),
    ],
)
def test_an_empty_path_is_not_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    refused = invoke(*arguments)
    assert refused.exit_code == 2
    assert "it is empty" in refused.stderr


def test_an_empty_home_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NIGHTSHIFT_HOME", "")
    assert load_settings().home == tmp_path / ".nightshift"


@pytest.mark.parametrize("out", [".", "/", "folder"])
def test_results_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with serving(lambda _asked, _number: Answer(200, body=b"{}\n")) as server:
        refused = invoke("results", "job_1", "--out", out, "--server", server.url)
        assert server.requests == []
    assert refused.exit_code == 2
    assert "Is a directory (bad_out)" in refused.stderr


@pytest.mark.parametrize(
    "given", ["", ".", "..", "a/../job_1", "job_1?x", "job_1#", "job 1", "\x1b[3m", "\udcff", "job_1\n"]
)
def test_an_id_cannot_make_another_path(given: str) -> None:
    with serving(not_found) as server, Client(server.url) as client:
        for ask in (
            client.job,
            client.delete,
            client.revoke_key,
            lambda job: client.put_photo(job, "a", Path(__file__)),
        ):
            with pytest.raises(InvalidInput, match="that is no id"):
                ask(given)
        assert server.requests == []


def test_an_answer_that_leads_elsewhere_is_an_error_in_streams_too() -> None:
    def moved(_asked: Received, _number: int) -> Answer:
        return Answer(308, body=b"there", headers={"Location": "/elsewhere"})

    with serving(moved) as server:
        refused = invoke("results", "job_1", "--server", server.url)
    assert refused.exit_code == 6
    assert refused.stderr == "nightshift: the server answered 308 (http_308)\n"


@pytest.mark.parametrize("key", ["é" * 32, "a\nb", "\udcff"])
def test_a_key_that_no_header_can_hold_is_told_and_not_repeated(key: str) -> None:
    refused = invoke("status", "--api-key", key)
    assert refused.exit_code == 2
    assert "the API key has characters" in refused.stderr
    assert ascii(key) not in ascii(refused.stderr)


@pytest.mark.parametrize("typed", ["", "n\n"])
def test_what_is_not_confirmed_is_not_erased_and_no_fault(typed: str) -> None:
    with serving(not_found) as server:
        refused = invoke("delete", "job_1", "--server", server.url, typed=typed)
        assert server.requests == []
    assert refused.exit_code == 2
    assert "nothing is erased" in refused.stderr


def test_a_job_that_is_not_there_is_not_said_to_be_open(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    with serving(not_found) as server:
        refused = invoke("submit", str(tmp_path), "--job", "job_1", "--server", server.url)
    assert refused.exit_code == 2
    assert refused.stderr == "nightshift: no job job_1 (job_not_found)\n"


def test_what_is_left_alone_is_told_by_submit_too(tmp_path: Path) -> None:
    (tmp_path / "film.mov").write_bytes(b"x")
    refused = invoke("submit", str(tmp_path))
    assert refused.exit_code == 2
    assert "(1 other file left alone: 1 video) (no_photos)" in refused.stderr


@pytest.mark.parametrize(
    ("paths", "label"),
    [
        (["party"], "party"),
        (["."], "here"),
        (["party/../gala", "x.jpg"], "gala and x.jpg"),
        (["p" * 250], "p" * 200),
        (["/"], None),
        (["caf\udce9"], "caf\\xe9"),
    ],
)
def test_a_job_is_called_by_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], label: str | None
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    given = [Path(path) for path in paths]
    assert labelled(NewJob(), given).label == label
    assert labelled(NewJob(label="gala"), given).label == "gala"
    assert labelled(NewJob(label=None), given).label is None


def test_submit_says_the_label(tmp_path: Path) -> None:
    (tmp_path / "party").mkdir()
    (tmp_path / "party" / "a.jpg").write_bytes(b"a")
    with serving(not_found) as server:
        invoke("submit", str(tmp_path / "party"), "--server", server.url, "--api-key", "k")
        invoke("submit", str(tmp_path / "party"), "--server", server.url, "--api-key", "k", "--label", "x")
    assert [json.loads(asked.body)["label"] for asked in server.requests] == ["party", "x"]
