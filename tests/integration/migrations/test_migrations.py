"""The migrations make exactly the tables the models speak of, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from nightshift.words.analysis import AgeGroup, Quality
from nightshift.words.errors import Transient
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.db.engine import Database, open_engine
from shared.db.migrate import _config, is_current, upgrade
from shared.db.tables import Base, FaceRow, Job, Photo
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.settings import REPOSITORY
from tests.support.queue_rows import analysis, face, manifest, save_all, taken


def test_migrated_schema_equals_the_models(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert is_current(session)


def test_rows_live_through_every_step(empty_database_url: str) -> None:
    """Up one by one with rows in the first tables, down to them again, and up at once."""
    url = empty_database_url
    steps = [script.revision for script in ScriptDirectory.from_config(_config(url)).walk_revisions()][::-1]
    upgrade(url, steps[0])
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in ROWS:
            connection.execute(text(statement))
    for step in steps[1:]:
        upgrade(url, step)
        assert kept(engine) == (1, 2, 1), step
    command.downgrade(_config(url), steps[0])
    assert kept(engine) == (1, 2, 1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT uncertain FROM faces"))
    upgrade(url)
    assert kept(engine) == (1, 2, 1)
    database = Database(url)
    with database.read() as session:
        assert is_current(session)
        (job,) = session.query(Job)
        assert (job.label, job.max_failure_rate, job.delete_originals) == ("old", None, False)
        assert [photo.history for photo in session.query(Photo)] == [None, None]
        assert [(face.gender_because, face.age_group_because) for face in session.query(FaceRow)] == [
            ("", "close_call")
        ]
    database.close()
    engine.dispose()


def test_receivers_of_before_are_given_ids(empty_database_url: str) -> None:
    url = empty_database_url
    upgrade(url, "0011")
    engine = open_engine(url)
    with engine.begin() as connection:
        for name in ("a", "b"):
            row = "INSERT INTO receivers (owner, url) VALUES ('local', :url)"
            connection.execute(text(row), {"url": f"https://{name}.example/"})
    upgrade(url)
    with engine.connect() as connection:
        ids = list(connection.scalars(text("SELECT id FROM receivers")))
    engine.dispose()
    assert len(set(ids)) == 2
    assert all(each.startswith("rcv_") for each in ids)


def test_what_photos_are_sorted_by_is_of_old_rows_what_it_is_of_new_ones(empty_database_url: str) -> None:
    url = empty_database_url
    upgrade(url)
    database = Database(url)
    names = [
        "A 10.JPG",
        "a 9.jpg",
        "\u00c4/e\u0301.jpg",
        "\ufb01le.jpg",
        "\u0130\u5bb6.jpg",
        "\u05e9\u05dc\u05d5\u05dd.jpg",
    ]
    quality = Quality(0.25, 0.5, 90.0, 10.0, 0.0)
    least = AgeGroup("10-19", 10, 19, 0.3, {"10-19": 0.3}, False)
    found = [
        (),
        (face(),),
        (replace(face(), quality=quality), replace(face(1), quality=replace(quality, sharpness=0.0))),
        (replace(face(), gender=replace(face().gender, probability=0.51)), face(1)),
        (face(), replace(face(1), age_group=least)),
    ]
    with database.write() as session:
        job = open_job(session, "local", NewJob(), manifest())
        add_photos(session, "local", job.id, [NewPhoto(name, new_id("pho"), f"/{name}") for name in names])
        submit(session, "local", job.id)
    held = taken(database, batch_size=len(names))
    faces = iter(found * 2)
    save_all(database, held, lambda _: replace(analysis(*next(faces)), taken_at="2026-05-30T21:00:00"))

    def sorted_by() -> tuple[list[Any], list[float]]:
        with database.read() as session:
            photos = session.query(Photo).order_by(Photo.ordinal).all()
            rows = session.query(FaceRow).order_by(FaceRow.photo_id, FaceRow.index).all()
            names = [(photo.folded_name, photo.name_order, photo.taken_at, photo.place) for photo in photos]
            numbers = [*(photo.sureness for photo in photos), *(row.sharpness for row in rows)]
            return names, [-9.0 if number is None else number for number in numbers]

    names_before, numbers_before = sorted_by()
    assert len(set(numbers_before)) == 6
    command.downgrade(_config(url), "0011")
    upgrade(url)
    names_now, numbers_now = sorted_by()
    assert names_now == names_before
    assert numbers_now == pytest.approx(numbers_before)
    database.close()


ROWS = (
    "INSERT INTO jobs (id, owner, label, state, priority, options, options_fingerprint, metadata,"
    " bundle_name, bundle_sha256, created_at)"
    " VALUES ('job_1', 'local', 'old', 'queued', 0, '{}', 'f', '{}', 'b', 's', '2026-11-01 00:00:00')",
    *(
        "INSERT INTO photos (id, job_id, owner, ordinal, custom_id, status, attempts, crashes, read_errors,"
        f" face_count) VALUES ('pho_{n}', 'job_1', 'local', {n}, '{n}.jpg', 'queued', 0, 0, 0, 0)"
        for n in (1, 2)
    ),
    'INSERT INTO faces (photo_id, "index", job_id, gender, age_group, uncertain, document)'
    " VALUES ('pho_1', 0, 'job_1', 'female', '30-39', true,"
    ' \'{"gender": {"uncertain": false}, "age_group": {"uncertain": true}}\')',
)
TABLES = ("jobs", "photos", "faces")


def kept(engine: Engine) -> tuple[int, ...]:
    with engine.connect() as connection:
        counted = (connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in TABLES)
        return tuple(count or 0 for count in counted)


def test_processes_may_migrate_at_once(empty_database_url: str) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "shared.db.migrate"],
            env={**os.environ, "NIGHTSHIFT_DATABASE_URL": empty_database_url},
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said.decode()
    database = Database(empty_database_url)
    with database.read() as session:
        assert is_current(session)
    database.close()


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    for url in ("postgresql+psycopg://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}"):
        with pytest.raises(Transient) as told:
            upgrade(url)
        assert told.value.code == "database_unavailable"
