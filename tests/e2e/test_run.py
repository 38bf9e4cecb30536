"""`nightshift run` over real photos, with everything it starts."""

import csv
import json
from pathlib import Path

from nightshift.embedded.interrupted_runs import note_run
from nightshift.results_folder import FILES
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import locate_bundle, read_manifest
from shared.db.engine import Database
from shared.queue.intake import NewPhoto, add_photos, open_job
from shared.settings import Settings
from tests.support.command import Nightshift, results, write_portraits
from tests.support.samples import no_face_jpeg, several_jpeg


def open_broken_off(home: Path, photos: Path, out: Path) -> str:
    """A run that had named one of its photos when it was broken off."""
    settings = Settings(home=home)
    database = Database(settings.database_url)
    first = NewPhoto("portrait-00.jpg", "pho_1", in_place_path=str(photos / "portrait-00.jpg"))
    with database.write() as session:
        bundle = read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
        job = open_job(session, "local", NewJob(options=settings.default_job_options()), bundle)
        add_photos(session, "local", job.id, [first])
    database.close()
    note_run(home, job.id, [photos], out)
    return job.id


def test_run_then_resume_another_over_the_same_photos_and_a_corrupt_one(
    tmp_path: Path,
) -> None:
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
    assert "1 other file left alone: 1 .txt" in first.stderr
    (out,) = (tmp_path / "nightshift-results").glob("party-????-??-??")
    faces = {line["custom_id"]: len(line["faces"]) for line in results(out)}
    assert faces == {"later/cup.jpg": 0, "later/group.JPG": 3, "portrait-00.jpg": 1, "portrait-01.jpg": 1}
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["custom_id"] for row in rows if not row["face_index"]] == ["later/cup.jpg"]
    assert len(rows) == 6
    assert sorted(path.name for path in out.iterdir()) == [
        "faces.csv",
        "low-confidence-faces.csv",
        "nightshift.json",
        "photos.csv",
        "report.html",
        "report_files",
        "results.csv",
        "results.jsonl",
    ]
    with (out / "photos.csv").open(newline="", encoding="utf-8-sig") as file:
        listed = list(csv.DictReader(file))
    assert {row["custom_id"]: int(row["faces"]) for row in listed} == faces
    assert {row["path"]: row["root"] for row in listed} == {str(photos / name): str(photos) for name in faces}
    with (out / "faces.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["custom_id"] for row in csv.DictReader(file)] == [
            name for name, number in faces.items() for _ in range(number)
        ]
    assert f"Report      {out / 'report.html'}" in first.stdout
    # One for each photo: the cup, too, was decoded.
    assert len(list((out / "report_files").rglob("*.webp"))) == 4
    assert nightshift.processes() == []

    (photos / "cut.jpg").write_bytes(several_jpeg()[:2000])
    job_id = open_broken_off(nightshift.home, photos, tmp_path / "again")
    second = nightshift.run("run", "party", "--resume", "--json", "--quiet", "--no-report")

    assert second.returncode == 3, second.stderr
    assert second.stderr == ""
    # One photo is damaged, all others are known: no network was loaded.
    log = (nightshift.home / "logs" / "workers.log").read_text()
    assert "saved" in log
    assert "chosen" not in log
    assert "chosen" in (nightshift.home / "logs" / "workers.log.1").read_text()
    report = json.loads(second.stdout)
    assert report["job_id"] == job_id
    assert report["reused"] == 4
    assert report["outcome"] == "partial"
    assert report["failures"] == {"corrupt_image": 1}
    again = tmp_path / "again"
    assert report["files"] == {
        kind: str(again / FILES[kind])
        for kind in ("jsonl", "photos.csv", "faces.csv", "low-confidence-faces.csv", "csv")
    }
    assert not (again / "report.html").exists()
    lines = {line["custom_id"]: line for line in results(tmp_path / "again")}
    assert lines["cut.jpg"]["error"]["code"] == "corrupt_image"
    assert {name: len(line["faces"]) for name, line in lines.items() if name != "cut.jpg"} == faces

    assert {path: path.read_bytes() for path in before} == before
