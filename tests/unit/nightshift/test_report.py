import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from nightshift.client import Client
from nightshift.exits import Exit
from nightshift.machine.whole_files import replacing
from nightshift.report import Report, add_page, print_report, write_report, write_results
from nightshift.words.analysis import PhotoError
from nightshift.words.documents import Job, Photo, PhotoCounts, Summary
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError

COUNTS = PhotoCounts(total=15, succeeded=3, failed=12)


def report() -> Report:
    error = PhotoError(Code.CORRUPT_IMAGE, "decode", "the file is cut off")
    failed = [
        Photo(custom_id=f"[bad]/{n}.jpg", photo_id=f"pho_{n}", status="failed", error=error)
        for n in range(10)
    ]
    return Report(
        job=Job(
            id="job_1",
            state="ended",
            outcome="partial",
            counts=COUNTS,
            created_at=datetime.now(UTC),
            bundle={"name": "mine", "sha256": "a" * 64},
        ),
        summary=Summary(
            photos=COUNTS,
            faces=5,
            gender={"female": 3, "male": 2},
            age_group={"0-4": 0, "20-29": 5},
            uncertain=3,
            uncertain_gender=1,
            uncertain_age_group=3,
            uncertain_because={"close_call": 3, "newer_reason": 1},
            no_face=1,
            reused=2,
            duplicates=1,
            failures={"corrupt_image": 12},
            commercial_use={"allowed": "no", "reason": "trained on UTKFace"},
            notice="Gender and age are apparent.",
        ),
        failed={"corrupt_image": failed},
        files={
            "jsonl": Path("/out/results.jsonl"),
            "csv": Path("/out/results.csv"),
            "report": Path("/out/report.html"),
        },
        exit=Exit.PARTIAL,
        left_out=[Path("/photos/caf\udce9.jpg")],
        seconds=61.4,
    )


def test_a_person_reads_what_was_found_and_what_failed() -> None:
    text = io.StringIO()
    print_report(report(), Console(file=text, width=120))
    shown = text.getvalue()
    for line in (
        "15: 3 succeeded, 12 failed, 2 reused from earlier runs, 1 duplicate within this run",
        "5, none in 1 photo",
        "gender: 1   age group: 3   (close call: 3   newer_reason: 1)",
        "female: 3   male: 2",
        "20-29: 5",
        "Failed: corrupt_image",
        "[bad]/9.jpg: the file is cut off",
        "and 2 more",
        "/out/results.csv",
        "/out/report.html",
        "mine; commercial use: no (trained on UTKFace)",
        "0:01:01",
        "* Gender and age are apparent. Faces are not people",
        r"/photos/caf\xe9.jpg",
    ):
        assert line in shown
    assert "0-4" not in shown


def test_a_script_reads_the_same() -> None:
    document = report().as_json()
    assert document["exit_code"] == 3
    assert document["counts"]["failed"] == 12
    assert document["failures"] == {"corrupt_image": 12}
    assert document["commercial_use"] == {"allowed": "no", "reason": "trained on UTKFace"}
    assert document["files"] == {
        "jsonl": "/out/results.jsonl",
        "csv": "/out/results.csv",
        "report": "/out/report.html",
    }


def test_results_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Client() as client, pytest.raises(NightshiftError, match="What was found is kept"):
        write_results(client, "job_1", tmp_path / "file")


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Client() as client, pytest.raises(NightshiftError, match="Not a directory") as refused:
        write_report(client, report().job, tmp_path / "file" / "out")
    assert refused.value.code == "report_not_written"


@pytest.mark.parametrize("out", ["file", "folder"])
@pytest.mark.parametrize(
    ("otherwise", "code"), [(Exit.SUCCEEDED, Exit.OUTPUT_LOST), (Exit.PARTIAL, Exit.PARTIAL)]
)
def test_a_report_that_fails_costs_no_results_and_is_told_a_script(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    out: str,
    otherwise: Exit,
    code: Exit,
) -> None:
    """The place is no folder; the server is gone."""
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "file").touch()
    results = {"jsonl": Path("/out/results.jsonl")}
    with Client("http://127.0.0.1:9") as client:
        written = add_page(client, replace(report(), exit=otherwise, files=results), tmp_path / out)
    assert written.files == results
    assert written.as_json()["exit_code"] == code
    assert "the results are written, but the report is not" in capsys.readouterr().err


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(b"old")
    with pytest.raises(ConnectionError), replacing(path) as file:
        file.write(b"half")
        raise ConnectionError
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("results.csv", b"old")]
    with replacing(path) as file:
        file.write(b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("results.csv", b"new")]


def test_the_end_says_what_was_left_alone_and_what_failed_and_the_code() -> None:
    text = io.StringIO()
    left = replace(report(), left_alone={".txt": 2, ".mov": 1})
    print_report(left, Console(file=text, width=140))
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert "Left alone 1 video (.mov): only photos are analysed; save the frames you need as JPEG" in lines
    assert "2 .txt" in lines
    ended = "Ended 12 of 15 photos failed, 1 photo could not be taken; all else is written (exit code 3)"
    assert ended in lines
    assert left.as_json()["left_alone_by_kind"] == {"videos": 1, "others": 2}
    well = io.StringIO()
    print_report(replace(report(), exit=Exit.SUCCEEDED), Console(file=well, width=140))
    assert "Ended" not in well.getvalue()


def test_what_was_found_beside_the_photos_is_in_the_report() -> None:
    made = replace(report(), left_alone={".mov": 3, "\x1b[31m.x": 1}, unreadable=["/photos/locked: denied"])
    told = made.beside
    assert [name for name, _ in told] == ["Left alone", "Left alone", "Not taken", "Not looked into"]
    assert told[0][1].startswith("3 videos (.mov): only photos are analysed")
    assert (told[2][1], told[3][1]) == (
        "/photos/caf\\xe9.jpg: its name cannot be used",
        "/photos/locked: denied",
    )
