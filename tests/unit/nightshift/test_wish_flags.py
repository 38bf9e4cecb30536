from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from tests.support.answering_server import Answer, Received, serving

FLAGS = {
    "label": ("--label", "party"),
    "priority": ("--priority", "3"),
    "max_failure_rate": ("--max-failure-rate", "0.25"),
    "deadline": ("--deadline", "8h"),
    "processing_window": ("--window", "22:00-06:00 Europe/Berlin"),
}
OPTIONS = {
    "min_confidence": ("--min-confidence", "0.95"),
    "min_face_px": ("--min-face-px", "40"),
    "height": ("--height", "720"),
    "tilt_threshold_deg": ("--tilt-threshold-deg", "5.5"),
    "reuse": ("--no-reuse", None),
    "delete_originals": ("--delete-originals", None),
    "pairs": ("--pairs", "raw"),
    "preview_px": ("--preview-px", "1600"),
}


def submit(tmp_path: Path, *flags: str) -> tuple[int, str, list[Received]]:
    (tmp_path / "a.jpg").write_bytes(b"a")
    job = {
        "id": "job_1",
        "state": "open",
        "counts": {},
        "created_at": "2026-01-01T00:00:00Z",
        "added": 1,
    }
    with serving(lambda *_: Answer(200, job)) as server:
        done = CliRunner().invoke(
            app, ["submit", str(tmp_path), "--in-place", "--server", server.url, "--api-key", "k", *flags]
        )
    return done.exit_code, done.stderr, server.requests


def test_every_plain_wish_has_a_flag() -> None:
    assert FLAGS.keys() == NewJob.model_fields.keys() - {"metadata", "notify", "options"}
    assert OPTIONS.keys() == JobOptions.model_fields.keys()


def test_flags_make_the_wish(tmp_path: Path) -> None:
    code, said, requests = submit(tmp_path, *[part for flag in FLAGS.values() for part in flag])
    assert code == 0, said
    texts = {name: text for name, (_, text) in FLAGS.items()}
    assert NewJob.of(**json.loads(requests[0].body)) == NewJob.of_form(texts)


def test_and_so_do_options(tmp_path: Path) -> None:
    code, said, requests = submit(tmp_path, *[part for flag in OPTIONS.values() for part in flag if part])
    assert code == 0, said
    assert json.loads(requests[0].body) == {
        "label": tmp_path.name,
        "options": {
            "min_confidence": 0.95,
            "min_face_px": 40,
            "height": 720,
            "tilt_threshold_deg": 5.5,
            "reuse": False,
            "delete_originals": True,
            "pairs": "raw",
            "preview_px": 1600,
        },
    }


def test_without_flags_nothing_is_wished_but_a_name(tmp_path: Path) -> None:
    assert json.loads(submit(tmp_path)[2][0].body) == {"label": tmp_path.name}


def change(*flags: str, **fields: str) -> tuple[int, str, list[Received]]:
    job = {"id": "job_" + "1" * 32, "state": "queued", "counts": {}, "created_at": "2026-01-01T00:00:00Z"}
    job |= fields
    with serving(lambda *_: Answer(200, job)) as server:
        done = CliRunner().invoke(
            app, ["change", "job_" + "1" * 32, "--server", server.url, "--api-key", "k", *flags]
        )
    return done.exit_code, done.stderr, server.requests


def test_flags_make_the_change() -> None:
    code, said, requests = change(*[part for flag in FLAGS.values() for part in flag], "--metadata", "a=b")
    assert code == 0, said
    wished = NewJob.of_form({**{name: text for name, (_, text) in FLAGS.items()}, "metadata": '{"a": "b"}'})
    asked = requests[-1]
    assert (asked.method, NewJob.of(**json.loads(asked.body))) == ("PATCH", wished)


def test_a_wish_is_taken_back() -> None:
    cleared = ("label", "window", "deadline", "max-failure-rate")
    code, said, requests = change(*[part for name in cleared for part in ("--clear", name)])
    assert code == 0, said
    assert json.loads(requests[-1].body) == dict.fromkeys(
        ("label", "processing_window", "deadline", "max_failure_rate")
    )


def test_receivers_are_changed_and_left_to_what_is_set_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is for jobs that are made: a later change of a label is not one of who is told.
    monkeypatch.setenv("NIGHTSHIFT_NOTIFY", "https://example.org/env")
    urls = ["https://example.org/a", "https://example.org/b"]
    for flags, changed in (
        (("--label", "x"), {"label": "x"}),
        (("--notify", urls[0], "--notify", urls[1]), {"notify": [{"url": url} for url in urls]}),
        (("--clear", "notify"), {"notify": None}),
    ):
        code, said, requests = change(*flags)
        assert (code, json.loads(requests[-1].body)) == (0, changed), said
    code, said, _ = change("--notify", "http://example.org")
    assert (code, "--notify: " in said) == (2, True)


def test_what_was_changed_is_said() -> None:
    for flags, words in (
        (("--label", "Neu"), "label 'Neu'"),
        (
            ("--label", "Neu", "--priority", "0", "--clear", "window"),
            "label 'Neu', priority 0, no processing window",
        ),
        (("--max-failure-rate", "0.25", "--metadata", "a=b"), "metadata a=b, max failure rate 25%"),
        (("--clear", "notify"), "the receivers that are set for all"),
        (("--notify", "https://example.org/secret"), "1 receiver"),
        (("--clear", "deadline"), "no deadline"),
    ):
        changed = f"nightshift: job_{'1' * 32} has now: {words}\n"
        # How it ended is no answer to that.
        assert change(*flags, state="ended", outcome="partial")[1] == changed
        assert change(*flags)[1] == f"{changed}nightshift: job_{'1' * 32} is queued\n"
    assert re.search(
        r"deadline 2026-01-0[12] \d\d:00\n", change("--deadline", "8h", deadline="2026-01-01T12:00:00Z")[1]
    )


def test_a_change_that_cannot_be_is_wrong_usage() -> None:
    for flags, words in (
        ((), "name what to change"),
        (("--clear", "priority"), "'priority' is none of label"),
        (("--clear", "label", "--label", "x"), "label is given a value as well"),
        (("--window", "at night"), "--window: must read like"),
    ):
        code, said, requests = change(*flags)
        assert (code, words in said, [each.method for each in requests if each.method == "PATCH"]) == (
            2,
            True,
            [],
        ), said


def test_help_says_it_in_the_same_words() -> None:
    shown = " ".join(CliRunner().invoke(app, ["submit", "--help"]).stdout.split())
    fields = {**NewJob.model_fields, **JobOptions.model_fields}
    for name in {**FLAGS, **OPTIONS}:
        description = fields[name].description
        assert description is not None
        assert " ".join(description.replace("`", "").split()) in shown


def test_a_wish_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    code, said, requests = submit(tmp_path, "--window", "at night")
    assert (code, requests) == (2, [])
    assert "--window: must read like" in said and "processing_window" not in said
    assert submit(tmp_path, "--priority", "1001")[0] == 2


def test_whom_to_tell_is_given_by_flags_or_by_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = ["https://example.org/bell", "mailtos://ann:pw@example.org?to=ben@example.org"]
    code, said, requests = submit(tmp_path, *(part for url in urls for part in ("--notify", url)))
    assert code == 0, said
    assert [each["url"] for each in json.loads(requests[0].body)["notify"]] == urls
    monkeypatch.setenv("NIGHTSHIFT_NOTIFY", " ".join(urls[1:]))
    _, said, requests = submit(tmp_path)
    assert [each["url"] for each in json.loads(requests[0].body)["notify"]] == urls[1:]
    assert "no setting" not in said


@pytest.mark.parametrize(
    ("url", "code"), [("dbus://s3cret", "notify_scheme_unknown"), ("ntfys://***", "notify_url_malformed")]
)
def test_whom_nobody_can_tell_is_refused_before_anything_is_sent(url: str, code: str, tmp_path: Path) -> None:
    exit_code, said, requests = submit(tmp_path, "--notify", url)
    assert (exit_code, requests) == (2, [])
    assert code in said
    assert "s3cret" not in said
