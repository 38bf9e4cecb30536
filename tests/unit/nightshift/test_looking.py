"""The commands that look at jobs, against a server that answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nightshift.cli import app
from nightshift.client import Client
from nightshift.which_job import complete, job_named
from nightshift.words.errors import InvalidInput
from tests.support.answering_server import Answer, Received, serving

IDS = [f"job_{digits}{'0' * 26}" for digits in ("abc123", "abc999", "def456")]
JOB: dict[str, Any] = {
    "id": IDS[0],
    "label": "summer party",
    "state": "running",
    "counts": {"total": 40, "queued": 26, "running": 2, "succeeded": 10, "failed": 2},
    "faces": 33,
    "photos_per_second": 2.0,
    "eta": "2026-01-01T00:01:00Z",
    "created_at": "2026-01-01T00:00:00Z",
    "options": {"height": 720},
    "processing_window": "22:00-06:00 Europe/Berlin",
    "bundle": {"name": "faces-mobilenet", "sha256": "0" * 64},
}
SUMMARY: dict[str, Any] = {
    "photos": JOB["counts"],
    "faces": 33,
    "gender": {"female": 20, "male": 13},
    "age_group": {"20-29": 33},
    "failures": {"corrupt_image": 2},
}
FAILED = [
    {
        "custom_id": f"{name}.jpg",
        "job_id": IDS[0],
        "photo_id": f"pho_{name}",
        "status": "failed",
        "error": {"code": "corrupt_image", "stage": "decode", "message": "the image is damaged"},
    }
    for name in "ab"
]


def answer(asked: Received, _number: int) -> Answer:
    path = asked.path.partition("?")[0]
    if path == "/v1/jobs":
        return Answer(200, {"jobs": [JOB | {"id": job_id} for job_id in IDS], "next": None})
    if path.endswith("/summary"):
        return Answer(200, SUMMARY)
    if path.endswith("/photos"):
        return Answer(200, {"photos": FAILED, "next": None})
    return Answer(200, JOB | {"state": "ended", "outcome": "partial"} if "def456" in path else JOB)


def nightshift(*arguments: str) -> Result:
    with serving(answer) as server:
        return CliRunner().invoke(app, [*arguments, "--server", server.url, "--api-key", "k"])


def test_a_job_shows_its_rate_its_options_and_its_failures_by_reason() -> None:
    done = nightshift("status", IDS[0])
    assert done.exit_code == 0, done.stderr
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        f"Job {IDS[0]} summer party",
        "Photos 12 of 40 done, 10 succeeded, 2 failed",
        "Rate 2.0 photos/s, 0:00:14 left",
        "Options height 720",
        "Limits only 22:00-06:00 Europe/Berlin",
        "Failed: corrupt_image a.jpg: the image is damaged",
        "b.jpg: the image is damaged",
    ):
        assert line in shown


def test_a_summary_says_the_same_as_the_end_of_a_run() -> None:
    done = nightshift("summary", "latest")
    assert "female: 20   male: 13" in done.stdout
    assert "apparent" in done.stdout
    assert json.loads(nightshift("summary", "latest", "--json").stdout)["faces"] == 33


def test_failures_are_lines_for_a_script() -> None:
    done = nightshift("failures", "latest")
    assert done.stdout.splitlines()[0] == "a.jpg\tcorrupt_image\tthe image is damaged"
    as_json = nightshift("failures", "latest", "--json").stdout.splitlines()
    assert [json.loads(line)["custom_id"] for line in as_json] == ["a.jpg", "b.jpg"]


def test_waiting_ends_as_the_job_did() -> None:
    assert nightshift("wait", "def").exit_code == 3


def test_a_job_is_named_by_its_beginning_or_as_the_latest() -> None:
    with serving(answer) as server, Client(server.url, "k") as client:
        assert job_named(client, "latest") == IDS[0]
        assert job_named(client, "def") == job_named(client, "job_def4") == IDS[2]
        # A whole id costs no question, and what is none is for the server to refuse.
        asked = len(server.requests)
        assert job_named(client, IDS[1]) == IDS[1]
        assert job_named(client, "party") == "party"
        assert len(server.requests) == asked
        assert job_named(client, "0123") == "0123"
        with pytest.raises(InvalidInput, match=rf"2 jobs begin with abc: {IDS[0]}") as refused:
            job_named(client, "abc")
    assert refused.value.code == "several_jobs"


def test_without_a_job_there_is_no_latest() -> None:
    with serving(lambda *_: Answer(200, {"jobs": [], "next": None})) as server:
        done = CliRunner().invoke(app, ["summary", "latest", "--server", server.url, "--api-key", "k"])
        listed = CliRunner().invoke(app, ["status", "--server", server.url, "--api-key", "k"])
    assert done.exit_code == 2
    assert "there is no job yet (job_not_found)" in done.stderr
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "there is no job yet" in listed.stderr


def test_a_shell_is_offered_ids_and_nothing_where_no_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", "k")
    with serving(answer) as server:
        monkeypatch.setenv("NIGHTSHIFT_SERVER", server.url)
        assert complete("") == ["latest", *IDS]
        assert complete("job_d") == [IDS[2]]
    assert complete("") == []


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("succeeded", 3, "1 photo left out, which succeeded, but the server has no copy any more"),
        ("failed", 0, "1 photo left out, which did not succeed then: send them again"),
    ],
)
def test_the_photos_of_a_job_are_run_again_with_other_options(status: str, code: int, said: str) -> None:
    photos = [
        {"custom_id": "sent.jpg", "photo_id": "pho_1", "sha256": "a" * 64},
        {"custom_id": "gone.jpg", "photo_id": "pho_2", "sha256": "b" * 64, "status": status},
        {"custom_id": "here.jpg", "photo_id": "pho_3", "path": "/srv/here.jpg", "root": "/srv"},
    ]

    def again(got: Received, _number: int) -> Answer:
        path = got.path.partition("?")[0]
        if path.endswith("/photos/check"):
            return Answer(200, {"missing": ["gone.jpg"]})
        if path.endswith("/photos") and got.method == "GET":
            found = [{"job_id": IDS[0], "status": "succeeded", **photo} for photo in photos]
            return Answer(200, {"photos": found, "next": None})
        if path.endswith(("/photos", "/in-place", "/photos/in-place")):
            return Answer(200, {"added": 1})
        return Answer(200, JOB | {"id": IDS[1]} if got.method == "POST" else JOB)

    with serving(again) as server:
        arguments = ["rerun", IDS[0], "--min-confidence", "0.5", "--server", server.url, "--api-key", "k"]
        done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (code, f"{IDS[1]}\n"), done.stderr
    assert said in done.stderr and ": gone.jpg" in done.stderr
    posted = [got for got in server.requests if got.method == "POST"]
    wish = json.loads(posted[0].body)
    assert (wish["label"], wish["processing_window"]) == ("summer party", "22:00-06:00 Europe/Berlin")
    # Its own options, and the one that was given.
    assert (wish["options"]["height"], wish["options"]["min_confidence"]) == (720, 0.5)
    assert any(b"/srv/here.jpg" in got.body for got in posted)
    assert posted[-1].path.endswith("/submit")


def test_of_photos_that_are_all_gone_no_job_is_left() -> None:
    deleted: list[str] = []

    def empty(got: Received, _number: int) -> Answer:
        if got.method == "DELETE":
            deleted.append(got.path)
            return Answer(
                200, {"job_id": IDS[1], "reason": "requested", "requested_at": "2026-01-01T00:00:00Z"}
            )
        if got.path.partition("?")[0].endswith("/photos"):
            return Answer(200, {"photos": [], "next": None})
        return Answer(200, JOB | {"id": IDS[1], "counts": {}})

    with serving(empty) as server:
        done = CliRunner().invoke(app, ["rerun", IDS[0], "--server", server.url, "--api-key", "k"])
    assert done.exit_code == 2
    assert "none of the photos" in done.stderr
    assert deleted == [f"/v1/jobs/{IDS[1]}"]
