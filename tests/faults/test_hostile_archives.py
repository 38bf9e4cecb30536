"""Hostile archives against the real API and a real worker: what becomes of each, and what it costs."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from shared.db.tables import Archive
from tests.support.archives_made import quine, tar_of, zip_of
from tests.support.faults.runs import RECORD, Api, Run
from tests.support.processes import WITH_KEY, peak_memory_mb_of, wait_for
from tests.support.tars_made import END, header, long_name, member, pax
from tests.support.zips_made import Piece, extra, quoting_each_other, zip_bytes

MOST_GROWN_MB = 60
MOST_S = 60
FIRST = member(b"first.jpg", b"photo 1")
SPARSE = b"".join(os.urandom(430) + bytes(99_570) for _ in range(50))
"""Unpacked nearly 200 times as large as packed, which is allowed."""


def heavy_directory() -> bytes:
    padding, comment = extra(0x9999, bytes(65_000)), bytes(65_000)
    return zip_bytes(*(Piece(b"%d.jpg" % n, extra=padding, comment=comment) for n in range(600)))


def padded_with_nothing() -> bytes:
    return zip_bytes(Piece(b"a.jpg", b"photo"), Piece(b"b.jpg", b"x", packed=b"\0\0\0\xff\xff" * 4_000_000))


ATTACKS: dict[str, tuple[Callable[[], bytes], str | dict[str, str | None]]] = {
    "zip: 100 members over one kernel of 5 MB": (lambda: quoting_each_other(100, SPARSE), "archive_limit"),
    "zip: the same by extra fields": (
        lambda: quoting_each_other(100, SPARSE, by_extra=True),
        "archive_limit",
    ),
    "zip: a directory of 78 MB": (heavy_directory, "archive_limit"),
    "zip: 60,000 members": (lambda: zip_of({f"{n}.jpg": b"" for n in range(60_000)}), "archive_limit"),
    "zip: 20 MB that unpack to nothing": (
        padded_with_nothing,
        {"a.jpg": None, "b.jpg": "archive_member_damaged"},
    ),
    "zip: 90 MB of zeros": (lambda: zip_of({"a.jpg": bytes(90_000_000)}, packed=True), "archive_limit"),
    "zip: itself within itself": (quine, {"r/r.zip": "archive_nested"}),
    "tar: a member of 10^30 bytes": (
        lambda: FIRST + pax((b"size", b"1" + b"0" * 30)) + header(b"b.jpg") + END,
        {"first.jpg": None, "a.zip": "archive_damaged"},
    ),
    "tar: 20,000 pax headers before a member": (
        lambda: FIRST + pax((b"path", b"x.jpg")) * 20_000 + member(b"b.jpg", b"photo") + END,
        {"first.jpg": None, "a.zip": "archive_damaged"},
    ),
    "tar: 20,000 long names, at once": (
        lambda: long_name(b"x" * 200) * 20_000 + FIRST + END,
        "unreadable_archive",
    ),
    "tar.gz: a name of 1 GB": (
        lambda: gzip.compress(FIRST + header(b"x", 1 << 30, b"L") + bytes(30_000_000), 1),
        {"first.jpg": None, "a.zip": "archive_damaged"},
    ),
    "tar.gz: 400 MB of zeros": (
        lambda: gzip.compress(tar_of({"a.bmp": bytes(400_000_000)}), 9),
        {"a.bmp": "file_too_large", "a.zip": "archive_limit"},
    ),
    "tar.gz: a million empty gzips": (lambda: gzip.compress(b"") * 1_000_000, "unreadable_archive"),
}


def family_mb(pid: int) -> float:
    """Most memory that a process and those it started have had."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return max([peak_memory_mb_of(pid), *(family_mb(int(child)) for child in children)])


def send(api: Api, archive: bytes) -> httpx.Response:
    return httpx.post(
        f"{api.url}/v1/jobs", files={"archive": ("a.zip", archive)}, headers=WITH_KEY, timeout=300
    )


def fates(api: Api, job_id: str) -> dict[str, str | None]:
    photos = httpx.get(f"{api.url}/v1/jobs/{job_id}/photos", headers=WITH_KEY, timeout=60).json()["photos"]
    return {photo["custom_id"]: photo["error"] and photo["error"]["code"] for photo in photos}


def record(tried: str, held: str, cost: str) -> None:
    if path := os.environ.get(RECORD):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"tried": tried, "held": held, "cost": cost}) + "\n")


@pytest.mark.timeout(900)
def test_hostile_archives_are_refused_or_ended_at_little_cost(run: Run) -> None:
    api = Api(run)
    run.start_workers("one")
    processes = {name: run.cluster.processes[name].pid for name in ("api", "one")}
    store = Path(run.cluster.settings.store_url.removeprefix("file://"))
    # Both have imported what they need.
    assert send(api, zip_of({"warm.jpg": b"photo"})).status_code == 202
    run.job_id = _newest(run)
    wait_for(run.has_ended, "a sound archive to be analysed")
    kept = stored_bytes(store)
    for tried, (make, right) in ATTACKS.items():
        archive = make()
        before = {name: family_mb(pid) for name, pid in processes.items()}
        began = time.monotonic()
        answer = send(api, archive)
        if isinstance(right, str):
            assert (answer.status_code, answer.json()["code"]) == (422, right), (tried, answer.text)
            held = f"refused: {right}"
        else:
            assert answer.status_code == 202, (tried, answer.text)
            run.job_id = answer.json()["id"]
            wait_for(run.has_ended, tried)
            assert fates(api, run.job_id) == right, tried
            held = ", ".join(f"{name} {code or 'succeeded'}" for name, code in right.items())
        seconds = time.monotonic() - began
        grown = {name: family_mb(pid) - before[name] for name, pid in processes.items()}
        assert max(grown.values()) < MOST_GROWN_MB, (tried, grown)
        assert seconds < MOST_S, tried
        # Nothing of what was sent is kept but photos of a few bytes, and their thumbnails.
        assert stored_bytes(store) - kept < 10_000, tried
        kept = stored_bytes(store)
        memory = f"API +{grown['api']:.0f} MB, worker +{grown['one']:.0f} MB"
        record(tried, held, f"{len(archive) / 1000:,.0f} kB sent; {seconds:.1f} s, {memory}")
    assert run.cluster.processes["one"].poll() is None
    assert "crashes" not in run.cluster.log("one")
    run.assert_well()


def _newest(run: Run) -> str:
    with run.cluster.database.read() as session:
        return session.query(Archive).one().job_id


def stored_bytes(store: Path) -> int:
    return sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
