"""A worker's networks are loaded when a photo needs them, and what is known needs none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.db.engine import Database
from shared.db.tables import Photo
from shared.settings import Settings
from tests.support import samples
from tests.support.fakes import FakePipeline
from tests.support.queue_rows import assert_nothing_lost_nothing_twice
from tests.support.worker_parts import parts_with, rows_of, run_in_place
from worker.networks import Networks, NotLoaded
from worker.parts import Parts


@pytest.fixture
def parts(database: Database, tmp_path: Path) -> Parts:
    return parts_with(Settings(home=tmp_path / "home", batch_size=3, max_photo_bytes=1000), database)


def _files(folder: Path, **contents: bytes) -> dict[str, Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in contents}


@pytest.fixture
def lazy(parts: Parts) -> tuple[Parts, list[str]]:
    """A worker whose networks are loaded when they are needed, and what was held when they were."""
    held: list[str] = []

    def build(_: Settings) -> FakePipeline:
        with parts.database.read() as session:
            held.append(",".join(session.scalars(select(Photo.status).order_by(Photo.custom_id))))
        return FakePipeline()

    networks = Networks(parts.settings, build)  # type: ignore[arg-type]
    networks.manifest = parts.pipeline.manifest
    return replace(parts, pipeline=networks), held


def test_what_is_known_or_no_picture_needs_no_network(
    parts: Parts, lazy: tuple[Parts, list[str]], tmp_path: Path
) -> None:
    worker, loaded = lazy
    files = _files(tmp_path, **{name: f"photo {name}".encode() for name in "abcdefg"})
    run_in_place(parts, files)
    broken = _files(tmp_path, broken=b"no photo", copy=b"photo a")

    job_id = run_in_place(worker, files | broken)

    errors = {name: row.error for name, row in rows_of(parts.database, job_id).items()}
    assert {name: error and error["code"] for name, error in errors.items()} == {
        **dict.fromkeys([*files, "copy"]), "broken": "unsupported_format",
    }  # fmt: skip
    assert loaded == []
    assert_nothing_lost_nothing_twice(parts.database)


def test_networks_are_loaded_when_a_photo_needs_them_and_then_nothing_is_held(
    parts: Parts, lazy: tuple[Parts, list[str]], tmp_path: Path
) -> None:
    worker, loaded = lazy
    pictures = {name: samples.astronaut_jpeg(side_px=64 + side) for side, name in enumerate("abcdefg")}
    settings = worker.settings.model_copy(update={"max_photo_bytes": 1_000_000})
    job_id = run_in_place(replace(worker, settings=settings), _files(tmp_path, **pictures))
    # They came in the same batch as others, and all went back uncounted.
    assert loaded == [",".join(["queued"] * 7)]
    assert {row.attempts for row in rows_of(parts.database, job_id).values()} == {1}


def test_networks_that_cannot_be_loaded_cost_no_photo_anything(parts: Parts, tmp_path: Path) -> None:
    def build(_: Settings) -> FakePipeline:
        raise SystemExit(0)

    networks = Networks(parts.settings, build)  # type: ignore[arg-type]
    settings = parts.settings.model_copy(update={"max_photo_bytes": 1_000_000})
    worker = replace(parts, pipeline=networks, settings=settings)
    with pytest.raises(NotLoaded, match="start_failed: SystemExit: 0"):
        run_in_place(worker, _files(tmp_path, a=samples.astronaut_jpeg(), b=samples.astronaut_jpeg()))
    with parts.database.read() as session:
        rows = session.scalars(select(Photo)).all()
        assert {(row.status, row.attempts, row.crashes) for row in rows} == {("queued", 0, 0)}
