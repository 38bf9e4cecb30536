"""`nightshift admin`: what does not agree is found, put right where it can be, and told."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.machine.allowance import Allowance
from nightshift.machine.room import RESERVE_BYTES
from nightshift.words.clock import utc_now
from shared.db.tables import Job, Photo, WorkerRow
from shared.files.store import photo_key
from shared.operations.doctor import _machine, _sqlite
from shared.operations.reconcile import reconcile
from shared.settings import Settings
from tests.support.queue_rows import seen, take
from tests.support.service import Service, make_service


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Service:
    return make_service(tmp_path, database_url=database_url)


def findings(service: Service, *, fix: bool = False) -> set[tuple[str, str, int, bool]]:
    found = reconcile(service.settings, service.database, service.context.store, fix=fix, now=utc_now())
    return {(one.kind, one.job_id, one.count, one.fixed) for one in found}


def age(service: Service) -> None:
    """Make everything in the store two hours old."""
    then = time.time() - 7200
    for path in (service.home / "store").rglob("*"):
        os.utime(path, (then, then))


def test_a_service_that_agrees(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    service.work()
    service.finish(job_id)
    service.open_job()
    age(service)
    assert findings(service) == set()


def test_orphans_are_deleted_when_they_are_old(service: Service) -> None:
    job_id = service.submitted_job("a")
    arriving = service.open_job()
    store = service.context.store
    store.put(photo_key("local", arriving, "pho_on_its_way"), b"x")
    store.put(photo_key("local", job_id, "pho_nobody"), b"x")
    store.put(photo_key("local", "job_gone", "pho_1"), b"x")
    store.put(photo_key("local", "job_gone", "pho_2"), b"x")
    assert findings(service) == set()
    age(service)
    expected = {("orphan", job_id, 1, False), ("orphan", "job_gone", 2, False)}
    assert findings(service) == expected
    assert findings(service, fix=True) == {(*one[:3], True) for one in expected}
    assert findings(service) == set()
    assert len(service.stored()) == 2


def test_a_missing_original_is_told_and_cannot_be_mended(service: Service) -> None:
    job_id = service.submitted_job("a", "b")
    photo_id = service.photos(job_id)["a"]["photo_id"]
    service.context.store.delete(photo_key("local", job_id, photo_id))
    assert findings(service, fix=True) == {("missing_original", job_id, 1, False)}


def test_wrong_counts_stuck_jobs_and_dead_leases(service: Service) -> None:
    counted, stuck, held = (service.submitted_job("a") for _ in range(3))
    service.work()
    service.finish(counted)
    service.work()
    take(service.database, worker="nobody/" + registry_realm() + "/999999999.1")
    with service.database.write() as session:
        session.execute(update(Job).where(Job.id == counted).values(final_counts={"total": 7}))
    expected = {("wrong_counts", counted, 1), ("stuck_job", stuck, 1), ("dead_lease", held, 1)}
    assert {one[:3] for one in findings(service)} == expected
    assert all(one[3] for one in findings(service, fix=True))
    assert findings(service) == set()
    with service.database.read() as session:
        assert session.query(Photo).filter_by(job_id=held).one().crashes == 1
        assert session.get_one(Job, stuck).outcome == "succeeded"


def registry_realm() -> str:
    from nightshift.machine.process_id import own_process_id

    return own_process_id().split("/")[1]


def run(service: Service, *arguments: str) -> tuple[int, str]:
    environment = {
        "NIGHTSHIFT_DATABASE_URL": service.settings.database_url,
        "NIGHTSHIFT_STORE_URL": service.settings.store_url,
        "NIGHTSHIFT_HOME": str(service.home),
        "NIGHTSHIFT_LOG_LEVEL": "WARNING",
    }
    result = CliRunner().invoke(app, ["admin", *arguments], env=environment)
    return result.exit_code, result.stdout


def test_the_commands(service: Service) -> None:
    seen(service.database, "a/b/1.2")
    code, told = run(service, "workers", "--json")
    assert (code, json.loads(told)["id"]) == (0, "a/b/1.2")
    assert "cpu" in run(service, "workers")[1]
    with service.database.write() as session:
        session.execute(update(WorkerRow).values(stopped_at=utc_now()))
    assert "cpu" not in run(service, "workers")[1]
    assert json.loads(run(service, "workers", "--json")[1])["id"] == "a/b/1.2"
    with service.database.write() as session:
        session.execute(update(WorkerRow).values(stopped_at=None))
    assert run(service, "reconcile") == (0, "")
    job_id = service.submitted_job("a")
    service.context.store.clear(f"local/{job_id}/")
    code, told = run(service, "reconcile")
    assert (code, told) == (3, f"{job_id}: 1 uploaded photos whose bytes are not in the store\n")
    code, told = run(service, "doctor", "--json")
    parts = {line["part"]: line["health"] for line in map(json.loads, told.splitlines())}
    assert code == 0
    assert {parts[part] for part in ("schema", "store", "bundle", "detector")} == {"ok"}
    assert (parts["workers"], parts["sweepers"], parts["broker"]) == ("ok", "warning", "warning")


def test_the_doctor_says_what_has_failed(tmp_path: Path) -> None:
    environment = {"NIGHTSHIFT_HOME": str(tmp_path), "NIGHTSHIFT_STORE_URL": "file:///dev/null/store"}
    result = CliRunner().invoke(app, ["admin", "doctor"], env=environment)
    assert result.exit_code == 6
    assert "failed   schema" in result.stdout
    assert "failed   store" in result.stdout
    assert "ok       bundle" in result.stdout


@pytest.mark.parametrize("free_bytes", [10_000_000, 500_000_000])
@pytest.mark.parametrize("full", ["database", "store"])
def test_the_doctor_and_the_probe_call_the_same_disk_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str, free_bytes: int
) -> None:
    service = make_service(tmp_path)
    folder = service.home if full == "database" else service.home / "store"
    real = shutil.disk_usage

    def usage(path: Path) -> object:
        return SimpleNamespace(free=free_bytes, total=10**12) if path == folder else real(path)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    checks = service.client.get("/readyz").json["checks"]
    lines = list(map(json.loads, run(service, "doctor", "--json")[1].splitlines()))
    told = {line["part"]: (line["health"], line["says"]) for line in lines}
    health, says = told[f"{full}'s disk"]
    if free_bytes < RESERVE_BYTES:
        assert (checks[full], health) == ("full", "failed")
        assert says == f"the disk of the {full} is full: make room, and it goes on (0.0 GB free)"
    else:
        assert (checks[full], health, says) == ("ok", "ok", "0.5 GB free")


def test_the_doctor_and_the_probe_know_of_a_folder_that_is_away(service: Service) -> None:
    seen(service.database, "a")
    with service.database.write() as session:
        session.execute(update(WorkerRow).values(about={"waits_for": "/party/photos"}))
    assert service.client.get("/readyz").json["checks"]["folders"] == "away"
    told = {line["part"]: line for line in map(json.loads, run(service, "doctor", "--json")[1].splitlines())}
    assert told["folders"]["health"] == "warning"
    assert told["folders"]["says"].startswith("the folder of the photos is away")
    assert (told["workers"]["health"], told["sweepers"]["health"]) == ("ok", "warning")


@pytest.mark.parametrize(("mode", "warned"), [(0o777, True), (0o775, True), (0o755, False), (0o700, False)])
def test_the_doctor_warns_of_a_home_that_others_may_write_to(tmp_path: Path, mode: int, warned: bool) -> None:
    tmp_path.chmod(mode)
    result = CliRunner().invoke(app, ["admin", "doctor"], env={"NIGHTSHIFT_HOME": str(tmp_path)})
    assert (f"may write to {tmp_path}, and so replace its key" in result.stdout) is warned


@pytest.mark.parametrize(
    ("version", "health"),
    [("3.40.1", "warning"), ("3.44.6", "ok"), ("3.50.6", "warning"), ("3.50.7", "ok"), ("3.51.2", "warning"),
     ("3.51.3", "ok"), ("3.52.0", "ok"), ("4.0", "ok")],
)  # fmt: skip
def test_versions_of_sqlite(version: str, health: str) -> None:
    assert _sqlite(version).health == health


@pytest.mark.parametrize(("workers", "health"), [(0, "ok"), (8, "warning")])
def test_the_doctor_says_what_may_be_used_and_warns_of_more_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: int, health: str
) -> None:
    allowed = Allowance(1, 2 * 2**30, host_cores=16, memory_is_limited=True, kills=0)
    for user in ("shared.settings", "shared.operations.doctor"):
        monkeypatch.setattr(f"{user}.allowance", lambda: allowed)
    (found,) = _machine(Settings(home=tmp_path, workers=workers))
    assert found.health == health
    assert found.says.startswith("1 core of 16 and 2.0 GB of memory may be used: ")
    assert ("1 would go into it" in found.says) == (workers == 8)
