"""A client's job that looks like an interrupted run: `run --resume` does not go by what a client wrote."""

from pathlib import Path

from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import REPOSITORY
from tests.support.command import Nightshift, write_portraits


def test_what_it_names_is_not_overwritten(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    victim = tmp_path / "victim"
    victim.mkdir()
    kept = dict.fromkeys(("results.jsonl", "results.csv", "report.html"), b"kept")
    for name, content in kept.items():
        (victim / name).write_bytes(content)
    write_portraits(tmp_path / "party", 1)
    nightshift.home.mkdir(mode=0o700)
    url = f"sqlite:///{nightshift.home / 'nightshift.db'}"
    upgrade(url)
    database = Database(url)
    with database.write() as session:
        job = open_job(
            session,
            "local",
            NewJob(metadata={"run": {"paths": [str(tmp_path / "party")], "out": str(victim)}}),
            read_manifest(REPOSITORY / "weights" / "utkface-v2s"),
        )
        portrait = str(tmp_path / "party" / "portrait-00.jpg")
        add_photos(session, "local", job.id, [NewPhoto("a.jpg", new_id("pho"), in_place_path=portrait)])
        submit(session, "local", job.id)
    database.close()

    done = nightshift.run("run", "--resume")

    assert {name: (victim / name).read_bytes() for name in kept} == kept
    assert len(list(victim.iterdir())) == len(kept)
    assert done.returncode == 2, done.stderr
    assert "nothing_to_resume" in done.stderr
