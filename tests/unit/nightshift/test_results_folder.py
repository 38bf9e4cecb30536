"""Results are replaced by those of the same photos alone, and never after somebody changed them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from nightshift.photos import FoundPhoto, find_photos
from nightshift.results_folder import (
    NOTE,
    RESULTS_FOLDER,
    Note,
    Place,
    default_out,
    place_again,
    place_for,
    require_own_report,
)
from nightshift.words.errors import InvalidInput
from shared.settings import REPOSITORY
from tests.support.report_made import fake_photo, job_of


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "party"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.jpg").write_bytes(b"\xff\xd8\xff" + name.encode())
    return folder


def found(folder: Path) -> list[FoundPhoto]:
    return find_photos([folder]).photos


def written(out: Path, photos: list[FoundPhoto], paths: list[Path]) -> Note:
    """What a run over these photos leaves."""
    out.mkdir(exist_ok=True)
    lines = [
        {"custom_id": photo.custom_id, "path": os.path.realpath(photo.path), "sha256": digest(photo.path)}
        for photo in photos
    ]
    (out / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (out / "faces.csv").write_text("custom_id\n")
    job, summary = job_of([fake_photo(1)])
    note = Note.of(job, summary, paths)
    for name in ("results.jsonl", "faces.csv"):
        note = note.with_file(out / name)
    note.write(out)
    return note


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def refused(out: Path, photos: Path) -> str:
    with pytest.raises(InvalidInput) as error:
        place_for(out, [photos], found(photos))
    assert error.value.code == "results_in_the_way"
    assert place_for(out, [photos], found(photos), overwrite=True).now() == out
    return error.value.message


def test_the_default_has_name_and_date_and_is_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day, photos = date(2026, 11, 27), [Path("/photos/party")]
    first = default_out(photos, day)
    assert first == tmp_path / "nightshift-results" / "party-2026-11-27"
    first.mkdir(parents=True)
    assert default_out(photos, day).name == "party-2026-11-27-2"


def test_results_of_make_run_are_nothing_to_commit() -> None:
    assert f"/{RESULTS_FOLDER}/" in (REPOSITORY / ".gitignore").read_text().splitlines()


def test_a_long_name_is_cut_so_that_there_can_be_such_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x" * 255, "\u00e9" * 127, os.fsdecode(b"\xe9" * 255)):
        for _ in range(2):
            folder = default_out([Path("/photos", name)], date(2026, 11, 27))
            folder.mkdir(parents=True)
            assert "-2026-11-27" in folder.name
    assert default_out([Path("/photos", "\u00e9" * 127)]).name.startswith("\u00e9" * 100 + "-")


def test_results_of_the_same_photos_and_of_more_are_replaced(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    assert place_for(out, [photos], found(photos)).now() == out
    written(out, found(photos), [photos])
    assert place_for(out, [photos], found(photos)).now() == out
    (photos / "d.jpg").write_bytes(b"\xff\xd8\xffd")
    assert place_for(out, [photos], found(photos)).now() == out


Change = Callable[[Path, Path], object]
CHANGES: dict[str, Change] = {
    "photos that are not among these": lambda out, photos: (photos / "a.jpg").unlink(),
    "was another photo then": lambda out, photos: (photos / "a.jpg").write_bytes(b"\xff\xd8\xffz"),
    "faces.csv changed since": lambda out, photos: (out / "faces.csv").write_text("custom_id,seen by\n"),
    "faces.csv, and no": lambda out, photos: (out / NOTE).unlink(),
    "results.jsonl, faces.csv, not of a run": lambda out, photos: (out / NOTE).write_text("[1, 2]"),
    "report.html changed since": lambda out, photos: (out / "report.html").write_text("mine"),
}


@pytest.mark.parametrize("why", CHANGES)
def test_other_results_are_in_the_way(tmp_path: Path, photos: Path, why: str) -> None:
    out = tmp_path / "out"
    written(out, found(photos), [photos])
    CHANGES[why](out, photos)
    assert why in refused(out, photos)


def test_a_file_of_the_notes_name_that_is_somebodys_is_in_the_way(tmp_path: Path, photos: Path) -> None:
    (tmp_path / NOTE).write_text('{"mine": 1}')
    assert NOTE in refused(tmp_path, photos)


def test_results_of_an_archive_are_replaced_by_those_of_the_same_archive(tmp_path: Path) -> None:
    archive, out = tmp_path / "party.zip", tmp_path / "out"
    archive.write_bytes(b"PK1")
    written(out, [], [archive])
    assert place_for(out, [archive], []).now() == out
    archive.write_bytes(b"PK22")
    with pytest.raises(InvalidInput, match="of other photos"):
        place_for(out, [archive], [])


def test_what_changes_meanwhile_is_kept(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    written(out, found(photos), [photos])
    place = place_for(out, [photos], found(photos))
    (out / "faces.csv").write_text("edited while the run went on")
    assert place.now() == tmp_path / "out-2"
    new = Place(tmp_path / "new")
    assert new.now() == tmp_path / "new"


def test_a_run_that_is_gone_on_with_replaces_its_own_and_nothing_else(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    note = written(out, found(photos), [photos])
    assert place_again(out, note.job_id, []).now() == out
    assert place_again(out, "job_other", [photos]).now() == out
    assert place_again(out, "job_other", [tmp_path]).now() == tmp_path / "out-2"
    (out / "faces.csv").write_text("edited")
    assert place_again(out, note.job_id, [photos]).now() == tmp_path / "out-2"
    assert place_again(out, note.job_id, [photos], overwrite=True).now() == out


def test_a_file_that_is_not_written_again_is_known_still(tmp_path: Path, photos: Path) -> None:
    out = tmp_path / "out"
    (out / "results.xlsx").parent.mkdir()
    (out / "results.xlsx").write_bytes(b"PK")
    written(out, found(photos), [photos])
    with pytest.raises(InvalidInput, match=r"results\.xlsx changed since"):
        place_for(out, [photos], found(photos))
    job, summary = job_of([fake_photo(1)])
    Note.of(job, summary, [photos]).over(out).with_file(out / "results.xlsx").write(out)
    assert place_for(out, [photos], found(photos)).now() == out
    Note.of(job, summary, [photos]).over(out).write(out)
    assert place_for(out, [photos], found(photos)).now() == out


def test_a_name_that_is_a_folder_is_found_out_before(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "faces.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"faces\.csv is a folder") as error:
        place_for(tmp_path, [photos], found(photos), overwrite=True)
    assert error.value.code == "bad_out"


def test_what_is_no_file_is_found_out_before(tmp_path: Path, photos: Path) -> None:
    # A pipe would be waited for, and what a link leads to be lost.
    os.mkfifo(tmp_path / "results.jsonl")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "faces.csv").symlink_to("nowhere")
    for out in (tmp_path, tmp_path / "out"):
        with pytest.raises(InvalidInput, match="is no file") as error:
            place_for(out, [photos], found(photos), overwrite=True)
        assert error.value.code == "bad_out"


@pytest.mark.parametrize("said", [b"[" * 100_000, b"3", b'{"format_version": 1, "files": 3}', b"\xff"])
def test_a_note_that_is_none_is_in_the_way(tmp_path: Path, photos: Path, said: bytes) -> None:
    (tmp_path / NOTE).write_bytes(said)
    with pytest.raises(InvalidInput) as error:
        place_for(tmp_path, [photos], found(photos))
    assert error.value.code == "results_in_the_way"


def test_the_report_of_another_job_is_kept(tmp_path: Path) -> None:
    require_own_report(tmp_path, "job_1")
    (tmp_path / "report.html").write_text("a page")
    with pytest.raises(InvalidInput, match="another job"):
        require_own_report(tmp_path, "job_1")
    job, summary = job_of([fake_photo(1)])
    Note.of(job, summary).with_file(tmp_path / "report.html").write(tmp_path)
    require_own_report(tmp_path, job.id)
    with pytest.raises(InvalidInput, match="another job"):
        require_own_report(tmp_path, "job_1")
