"""`nightshift run` over real photos, with everything it starts."""

import csv
import json
from pathlib import Path

from tests.e2e.command import Nightshift, results, write_portraits
from tests.samples import no_face_jpeg, several_jpeg


def test_run_then_run_again_with_a_corrupt_file_beside(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    photos = tmp_path / "party"
    write_portraits(photos, 2)
    (photos / "later").mkdir()
    (photos / "later" / "group.JPG").write_bytes(several_jpeg(1, 3))
    (photos / "later" / "cup.jpg").write_bytes(no_face_jpeg())
    (photos / "notes.txt").write_text("no photo")
    before = {path: path.read_bytes() for path in photos.rglob("*") if path.is_file()}

    first = nightshift.run("run", "party")

    assert first.returncode == 0, first.stderr
    assert "4: 4 succeeded" in first.stdout
    assert "apparent" in first.stdout
    assert "1 other files left alone: 1 .txt" in first.stderr
    out = tmp_path / "nightshift-results" / "party"
    faces = {line["custom_id"]: len(line["faces"]) for line in results(out)}
    assert faces == {"later/cup.jpg": 0, "later/group.JPG": 3, "portrait-00.jpg": 1, "portrait-01.jpg": 1}
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["custom_id"] for row in rows if not row["face_index"]] == ["later/cup.jpg"]
    assert len(rows) == 6
    assert sorted(path.name for path in out.iterdir()) == ["results.csv", "results.jsonl"]
    assert nightshift.processes() == []

    (photos / "cut.jpg").write_bytes(several_jpeg()[:2000])
    second = nightshift.run("run", "party", "--out", "again", "--json", "--quiet")

    assert second.returncode == 3, second.stderr
    assert second.stderr == ""
    report = json.loads(second.stdout)
    assert report["reused"] == 4
    assert report["outcome"] == "partial"
    assert report["failures"] == {"corrupt_image": 1}
    assert report["files"]["csv"] == str(tmp_path / "again" / "results.csv")
    lines = {line["custom_id"]: line for line in results(tmp_path / "again")}
    assert lines["cut.jpg"]["error"]["code"] == "corrupt_image"
    assert {name: len(line["faces"]) for name, line in lines.items() if name != "cut.jpg"} == faces

    assert {path: path.read_bytes() for path in before} == before


def test_wrong_input_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    (tmp_path / "empty").mkdir()
    missing, empty = nightshift.run("run", "nowhere"), nightshift.run("run", "empty")
    assert (missing.returncode, empty.returncode) == (2, 2)
    assert missing.stderr == f"nightshift: no such file or folder: {tmp_path / 'nowhere'} (no_such_path)\n"
    assert "no photos in" in empty.stderr
    assert not nightshift.home.exists()

    nightshift.settings["BUNDLE"] = "no-such-weights"
    write_portraits(tmp_path / "party", 1)
    unavailable = nightshift.run("run", "party")
    assert unavailable.returncode == 6
    assert "no-such-weights" in unavailable.stderr.splitlines()[-1]


def test_there_may_be_nothing_to_resume(tmp_path: Path) -> None:
    nothing = Nightshift(tmp_path).run("run", "--resume")
    assert nothing.returncode == 2
    assert "holds no interrupted run" in nothing.stderr
