"""Erased means gone: after the receipt, no byte under the home speaks of the job, whichever way it came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.db.leftovers import SMALL_BYTES
from tests.support.archives_made import zip_of
from tests.support.faults.runs import Api, Run
from tests.support.processes import WITH_KEY, wait_for

NAME = "zanzibar-wedding"
LABEL = "label-of-quetzalcoatl"
METADATA = "metadata-of-xanthippe"
KEY = "key-of-nebuchadnezzar"
ARCHIVE = "archive-of-hephaistos"
SECRETS = (NAME, LABEL, METADATA, KEY, ARCHIVE)
LANDMARKS = b'"left_eye"'


def found(*folders: Path) -> dict[str, int]:
    """How often each secret is in any file, as UTF-8 and as UTF-16."""
    counts: dict[str, int] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            # What is named like a secret speaks of it, too.
            data = path.read_bytes() if path.is_file() else b""
            for secret in SECRETS:
                number = sum(data.count(secret.encode(coding)) for coding in ("utf-8", "utf-16-le"))
                number += secret in str(path.relative_to(folder))
                if number:
                    counts[f"{path.relative_to(folder)}: {secret}"] = number
    return counts


def erase(api: httpx.Client, job_id: str) -> dict[str, Any]:
    """Until the receipt is complete: on a busy machine somebody may be reading the log."""
    wait_for(lambda: api.delete(f"/v1/jobs/{job_id}").json()["completed_at"], "the receipt to be complete")
    return dict(api.delete(f"/v1/jobs/{job_id}").json())


def landmarks(folder: Path) -> int:
    return sum(path.read_bytes().count(LANDMARKS) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def api(run: Run) -> Iterator[httpx.Client]:
    """The service, at work, its temporary folder in its home."""
    (run.cluster.settings.home / "tmp").mkdir()
    run.start_workers("one", "two", TMPDIR=str(run.cluster.settings.home / "tmp"))
    with httpx.Client(base_url=Api(run).url, timeout=60, headers=WITH_KEY) as client:
        yield client
    run.cluster.stop()


FIELDS = {"label": LABEL, "metadata": json.dumps({"who": METADATA})}


def by_form(api: httpx.Client, _run: Run) -> str:
    photos = [("photos", (f"{NAME}-{n}.jpg", b"photo %d" % n)) for n in range(23)]
    sent = api.post("/v1/jobs", data=FIELDS, files=photos, headers={"Idempotency-Key": KEY})
    return str(sent.json()["id"])


def by_archive(api: httpx.Client, _run: Run) -> str:
    members = {f"{NAME}/{n}.jpg": b"photo %d" % n for n in range(23)}
    archive = [("archive", (f"{ARCHIVE}.zip", zip_of(members)))]
    sent = api.post("/v1/jobs", data=FIELDS, files=archive, headers={"Idempotency-Key": KEY})
    return str(sent.json()["id"])


def one_by_one(api: httpx.Client, _run: Run) -> str:
    body = {"label": LABEL, "metadata": {"who": METADATA}}
    job_id = str(api.post("/v1/jobs", json=body, headers={"Idempotency-Key": KEY}).json()["id"])
    for n in range(23):
        photo = {"custom_id": f"{NAME}-{n}.jpg"}
        api.put(f"/v1/jobs/{job_id}/photos", params=photo, content=b"photo %d" % n).raise_for_status()
    # Refused: a name that is taken.
    api.put(f"/v1/jobs/{job_id}/photos", params={"custom_id": f"{NAME}-1.jpg"}, content=b"photo x")
    api.post(f"/v1/jobs/{job_id}/submit").raise_for_status()
    return job_id


def in_place(_api: httpx.Client, run: Run) -> str:
    job_id = run.submit(20, prefix=f"{NAME}-", broken=b"no photo")
    (run.folder / f"{NAME}-00003.jpg").unlink()
    return job_id


def submit_others(api: httpx.Client, run: Run, jobs: int) -> None:
    for number in range(jobs):
        photos = [("photos", (f"other-{number}-{n}.jpg", b"photo %d %d" % (number, n))) for n in range(4)]
        api.post("/v1/jobs", files=photos).raise_for_status()
    wait_for(lambda: all_ended(api), "the others to end")


def all_ended(api: httpx.Client) -> bool:
    jobs = api.get("/v1/jobs", params={"limit": 100}).json()["jobs"]
    return all(job["state"] == "ended" for job in jobs)


@pytest.mark.parametrize("way", [by_form, by_archive, one_by_one, in_place])
def test_nothing_is_left_of_an_erased_job(api: httpx.Client, run: Run, way: object) -> None:
    home = run.cluster.settings.home
    job_id = way(api, run)  # type: ignore[operator]
    submit_others(api, run, 3)
    assert found(home)
    assert landmarks(home)

    assert erase(api, job_id)["photos"] >= 20

    assert found(home, run.cluster.logs) == {}
    submit_others(api, run, 30)
    assert found(home, run.cluster.logs) == {}
    for job in api.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
        erase(api, job["id"])
    assert landmarks(home) == 0


def test_a_large_file_is_written_anew_when_nothing_is_at_work(api: httpx.Client, run: Run) -> None:
    """A row that was moved between pages may have left its bytes in a gap."""
    with run.cluster.database.apart(30_000) as cursor:
        cursor.execute("CREATE TABLE weight (bytes BLOB)")
        cursor.execute("INSERT INTO weight VALUES (zeroblob(?))", (SMALL_BYTES + 1,))
        cursor.execute("PRAGMA secure_delete=OFF")
        cursor.execute("CREATE TABLE old (name TEXT)")
        cursor.executemany("INSERT INTO old VALUES (?)", [(f"{NAME} {n}",) for n in range(500)])
        cursor.execute("DELETE FROM old")
    job_id = by_form(api, run)
    wait_for(lambda: all_ended(api), "the job to end")
    erase(api, job_id)
    wait_for(lambda: "wrote the database's file anew" in run.cluster.log("sweeper"), "the sweeper")
    assert found(run.cluster.settings.home, run.cluster.logs) == {}
