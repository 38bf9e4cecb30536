"""Archives given to the command as they are, and jobs erased by it."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from tests.support.archives_made import tar_of, zip_of
from tests.support.command import Nightshift, results
from tests.support.processes import wait_for
from tests.support.samples import astronaut_jpeg, no_face_jpeg


def party() -> dict[str, bytes]:
    return {
        "party/one.jpg": astronaut_jpeg(),
        "party/none.jpg": no_face_jpeg(),
        "party/cut.jpg": astronaut_jpeg()[:2000],
        "../../outside.jpg": astronaut_jpeg(),
        "party/notes.txt": b"x",
    }


def test_run_over_an_archive(tmp_path: Path) -> None:
    nightshift = Nightshift(tmp_path)
    archive = tmp_path / "party.zip"
    archive.write_bytes(zip_of(party()))
    before = archive.read_bytes()

    run = nightshift.run("run", "party.zip", "--out", "out", "--json")

    assert run.returncode == 3, run.stderr
    summary = json.loads(run.stdout)
    assert summary["failures"] == {"archive_member_unsafe": 1, "corrupt_image": 1}
    assert summary["left_alone"] == {".txt": 1}
    assert [(line["custom_id"], len(line["faces"])) for line in results(tmp_path / "out")] == [
        ("party/one.jpg", 1),
        ("party/none.jpg", 0),
        ("party/cut.jpg", 0),
        ("../../outside.jpg", 0),
    ]
    assert archive.read_bytes() == before
    assert not list(tmp_path.parent.glob("outside.jpg"))
    # Its own copies were needed for the night only.
    again = nightshift.run("run", "party.zip", "--out", "out", "--json")
    assert json.loads(again.stdout)["reused"] == 2
    originals = [path for path in (nightshift.home / "store").rglob("pho_*") if path.suffix != ".webp"]
    assert len(originals) <= 3

    beside = nightshift.run("run", "party.zip", "out")
    assert beside.returncode == 2
    assert "archive_alone" in beside.stderr
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    empty = nightshift.run("run", "empty.zip")
    assert empty.returncode == 2
    assert "empty_upload" in empty.stderr


def test_submit_an_archive_then_known_photos_then_erase(tmp_path: Path) -> None:
    server = Nightshift(tmp_path)
    (tmp_path / "party.tar.gz").write_bytes(tar_of(party(), gzipped=True))
    (tmp_path / "folder").mkdir()
    for name, data in (("known.jpg", astronaut_jpeg()), ("new.jpg", astronaut_jpeg(comment="new"))):
        (tmp_path / "folder" / name).write_bytes(data)

    with server.running("serve", "--port", "0") as serving:
        stderr = tmp_path / "serve.stderr"
        wait_for(lambda: "serving on" in stderr.read_text() or serving.poll() is not None, "the server")
        found = re.search(r"serving on (\S+)", stderr.read_text())
        assert found, stderr.read_text()
        server.settings["SERVER"] = found[1]
        with Nightshift(tmp_path).running("worker", "--workers", "1"):
            submitted = server.run("submit", "party.tar.gz", "--wait", "--json")
            assert submitted.returncode == 3, submitted.stderr
            job = json.loads(submitted.stdout)
            assert job["archive"]["left_alone"] == {".txt": 1}
            assert job["counts"]["succeeded"] == 2
            folder = server.run("submit", "folder", "--wait", "--json")
            assert folder.returncode == 0, folder.stderr
        # The one that was known was copied, not sent.
        log = stderr.read_text()
        assert log.count("PUT /v1/jobs") == 1
        assert "photos/check status=200" in log

        asked = server.run("delete", job["id"])
        assert asked.returncode != 0
        erased = server.run("delete", job["id"], "--yes")
        assert erased.returncode == 0, erased.stderr
        assert "4 photos" in erased.stderr
        again = server.run("delete", job["id"], "--yes", "--json")
        assert json.loads(again.stdout)["originals"] == 3
        assert server.run("status", job["id"]).returncode == 2
        stored = [path for path in (server.home / "store").rglob("*") if path.is_file()]
        assert stored
        assert not any(job["id"] in str(path) for path in stored)
