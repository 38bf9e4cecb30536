"""A full disk: new bytes are refused while there is room to erase, and erasing works with none at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from nightshift.machine.room import RESERVE_BYTES, is_full, require_room
from shared.db.engine import Database
from shared.db.leftovers import forget_deleted
from shared.db.migrate import upgrade
from shared.files.store import Store
from tests.faults.test_databases import fill, mounted
from tests.support.archives_made import zip_of
from tests.support.faults.runs import Api, Run
from tests.support.processes import WITH_KEY, wait_for

PHOTO_BYTES = 1_000_000
DISK_MB = 64
NO_KEEP_ALIVE = httpx.Limits(max_keepalive_connections=0)
"""A refusal that leaves the body unread ends its connection."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", f"{DISK_MB}m") as folder:
        yield folder


def on(run: Run, database_folder: Path, store_folder: Path) -> httpx.Client:
    """The service with its database and store in these folders."""
    run.cluster.kill("sweeper")
    run.cluster.database.close()
    url = f"sqlite:///{database_folder / 'nightshift.db'}"
    upgrade(url)
    run.cluster.database = Database(url)
    places = {"database_url": url, "store_url": f"file://{store_folder / 'store'}"}
    run.cluster.settings = run.cluster.settings.model_copy(update=places)
    run.cluster.start_sweeper()
    wait_for(lambda: ballast_of(run).exists(), "room to be set aside")
    return httpx.Client(base_url=Api(run).url, timeout=60, limits=NO_KEEP_ALIVE, headers=WITH_KEY)


def ballast_of(run: Run) -> Path:
    return Path(run.cluster.database.folder or "") / "nightshift.db-ballast"


def photo(number: int) -> bytes:
    return b"photo %d " % number + bytes(PHOTO_BYTES)


def put(client: httpx.Client, job_id: str, number: int) -> httpx.Response:
    params = {"custom_id": f"{number}.jpg"}
    return client.put(f"/v1/jobs/{job_id}/photos", params=params, content=photo(number))


def put_until_refused(client: httpx.Client) -> tuple[str, int]:
    """Ids of a job, and how many photos it took."""
    job_id = str(client.post("/v1/jobs", json={}).json()["id"])
    for number in range(2 * DISK_MB):
        answer = put(client, job_id, number)
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (507, "store_full"), answer.text
            return job_id, number
    raise AssertionError("nothing was refused")


def leave_no_room(run: Run, disk: Path) -> Path:
    """The log as short as it can be, and no byte free."""
    wait_for(lambda: forget_deleted(run.cluster.database), "the log to be emptied")
    return fill(disk)


def test_new_bytes_are_refused_before_the_disk_is_full(run: Run, disk: Path) -> None:
    with on(run, disk, disk) as client:
        job_id, taken = put_until_refused(client)
        assert taken > DISK_MB // 2
        assert client.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == taken
        fill_to_reserve(disk)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["store"]) == (503, "full")
        for refused in (
            client.post("/v1/jobs", json={}),
            client.post("/v1/jobs", files=[("photos", ("a.jpg", photo(0)))]),
            client.post("/v1/jobs", files=[("archive", ("a.zip", zip_of({"a.jpg": photo(0)})))]),
            client.post(
                "/v1/jobs", files=[("photos", ("a.jpg", b"photo"))], headers={"Idempotency-Key": "k"}
            ),
            client.post(
                f"/v1/jobs/{job_id}/photos/check",
                json={"photos": [{"custom_id": "b.jpg", "sha256": "0" * 64}]},
            ),
        ):
            assert (refused.status_code, refused.json()["code"]) == (507, "store_full"), refused.text
        assert not list(disk.rglob("store/local/*/*#*"))
        # The key of what was refused is free.
        assert client.get(f"/v1/jobs/{job_id}").status_code == 200
        assert client.delete(f"/v1/jobs/{job_id}").json()["originals"] == taken
    run.cluster.stop()


def fill_to_reserve(disk: Path) -> None:
    """Until new bytes are refused, but no further."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while not is_full(disk):
            file.write(bytes(4096))


def test_a_refusal_does_not_wait_for_the_body(run: Run, disk: Path) -> None:
    with on(run, disk, disk) as client:
        job_id = client.post("/v1/jobs", json={}).json()["id"]
        fill_to_reserve(disk)
        head = (
            f"PUT /v1/jobs/{job_id}/photos?custom_id=a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {WITH_KEY['Authorization']}\r\n"
            "Content-Length: 5000000\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(client.base_url.port or 0)), timeout=60) as other:
            other.sendall(head.encode())
            assert other.recv(65536).startswith(b"HTTP/1.1 507")
    run.cluster.stop()


def test_erasing_needs_no_room(run: Run, disk: Path) -> None:
    with on(run, disk, disk) as client:
        job_id, taken = put_until_refused(client)
        leave_no_room(run, disk)

        receipt = client.delete(f"/v1/jobs/{job_id}")

        assert receipt.status_code == 200, receipt.text
        assert receipt.json()["originals"] == taken
        again = str(client.post("/v1/jobs", json={}).json()["id"])
        assert put(client, again, 1).status_code == 201
        wait_for(lambda: ballast_of(run).exists(), "room to be set aside again")
    run.cluster.stop()


def test_erasing_needs_no_room_even_without_ballast(run: Run, disk: Path) -> None:
    """What the photos took makes room for deleting their rows; what there was is in the receipt."""
    with on(run, disk, disk) as client:
        job_id, taken = put_until_refused(client)
        run.cluster.kill("sweeper")
        ballast_of(run).unlink()
        leave_no_room(run, disk)

        receipt = client.delete(f"/v1/jobs/{job_id}")

        assert receipt.status_code == 200, receipt.text
        assert receipt.json()["originals"] == taken
        assert receipt.json()["size_bytes"] > taken * PHOTO_BYTES
    run.cluster.stop()


def test_the_databases_disk_alone_is_full(run: Run, disk: Path, tmp_path: Path) -> None:
    with on(run, disk, tmp_path) as client:
        job_id = client.post("/v1/jobs", json={}).json()["id"]
        for number in range(20):
            assert put(client, job_id, number).status_code == 201
        assert client.post(f"/v1/jobs/{job_id}/submit").status_code == 202
        leave_no_room(run, disk)

        assert client.post("/v1/jobs", json={}).json()["code"] == "store_full"
        assert client.delete(f"/v1/jobs/{job_id}").status_code == 409
        assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
        receipt = client.delete(f"/v1/jobs/{job_id}")

        assert receipt.status_code == 200, receipt.text
        assert receipt.json()["originals"] == 20
    run.cluster.stop()


def test_unpacking_waits_for_room(run: Run, disk: Path, tmp_path: Path) -> None:
    with on(run, tmp_path, disk) as client:
        archive = zip_of({f"{number}.jpg": photo(number) for number in range(12)})
        job_id = client.post("/v1/jobs", files=[("archive", ("party.zip", archive))]).json()["id"]
        fill_to_reserve(disk)
        run.start_workers("one")
        wait_for(lambda: "put off" in run.cluster.log("one"), "unpacking to be put off")
        assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "unpacking"
        (disk / "filler").unlink()
        run.job_id = job_id
        wait_for(run.has_ended, "the job to end")
        assert run.counts().succeeded == 12
    run.assert_well()
    run.cluster.stop()


def test_the_reserve_of_a_small_disk_is_a_tenth(disk: Path) -> None:
    total = DISK_MB * 1024 * 1024
    assert total // 10 < RESERVE_BYTES
    require_room(disk, total * 8 // 10)
    assert is_full(disk, total * 95 // 100)
    # A store that is a bucket has no disk of ours.
    require_room(None, 10**18)


def test_a_thumbnail_is_no_reason_to_fail(disk: Path) -> None:
    store = Store(f"file://{disk}/store")
    fill_to_reserve(disk)
    with pytest.raises(Exception, match="disk is full"):
        store.put("local/job_1/pho_1.thumbnail.webp", b"small")
    assert not [path for path in (disk / "store").rglob("*") if path.is_file()]
