"""Which runs may do without networks until a photo needs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nightshift.embedded.known_photos import SAMPLE, seem_known
from shared.db.engine import Database
from shared.db.tables import Archive
from shared.queue.save import Succeeded
from shared.settings import Settings
from tests.support.databases import migrated_sqlite
from tests.support.queue_rows import analysis, manifest, queue_of, queued_job, taken


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a home in which one photo, `known`, was analysed."""
    settings = Settings(home=tmp_path / "home")
    migrated_sqlite(settings.database_url)
    database = Database(settings.database_url)
    queued_job(database, 1)
    held = taken(database)
    known = Succeeded(held.photos[0].id, hashlib.sha256(b"known").hexdigest(), 5, analysis())
    queue_of(database).save(held, [known], bundle=manifest())
    database.close()
    return settings


def written(folder: Path, *contents: bytes) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:03}.jpg" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_a_photo_that_was_analysed_is_known_by_whatever_name(settings: Settings, tmp_path: Path) -> None:
    assert seem_known(settings, manifest(), written(tmp_path / "a", b"new", b"known"), None, {})
    assert not seem_known(settings, manifest(), written(tmp_path / "b", b"new", b"other"), None, {})


def test_other_weights_other_options_and_no_reuse_know_nothing(settings: Settings, tmp_path: Path) -> None:
    photos = written(tmp_path / "a", b"known")
    files = {"model.safetensors": {"sha256": "b" * 64, "dtype": "float16"}}
    other = manifest().model_validate({**manifest().model_dump(mode="json"), "files": files})
    assert not seem_known(settings, other, photos, None, {})
    assert not seem_known(settings, manifest(), photos, None, {"height": 720})
    assert not seem_known(settings, manifest(), photos, None, {"reuse": False})


def test_few_are_looked_at_of_many_and_what_is_gone_is_passed_over(
    settings: Settings, tmp_path: Path
) -> None:
    photos = written(tmp_path / "a", *[b"new"] * (SAMPLE * 4))
    photos[SAMPLE].write_bytes(b"known")
    photos[0].unlink()
    assert not seem_known(settings, manifest(), photos, None, {})
    photos[4].write_bytes(b"known")
    assert seem_known(settings, manifest(), photos, None, {})


def test_an_archive_is_known_by_its_name_and_size(settings: Settings, tmp_path: Path) -> None:
    (archive := tmp_path / "party.zip").write_bytes(b"zip")
    assert not seem_known(settings, manifest(), [], archive, {})
    database = Database(settings.database_url)
    job_id = queued_job(database, 1)
    with database.write() as session:
        of_zip = {"kind": "zip", "sha256": "0" * 64, "size_bytes": 3, "left_alone": {}}
        session.add(Archive(job_id=job_id, name="party.zip", **of_zip))
    database.close()
    assert seem_known(settings, manifest(), [], archive, {})
    archive.write_bytes(b"another zip")
    assert not seem_known(settings, manifest(), [], archive, {})
