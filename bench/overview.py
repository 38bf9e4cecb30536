"""What it costs that many leave the page open: overviews asked for every two seconds, while a job runs.

    python -m bench.overview [--pages 50] [--photos 20000] [--seconds 60]

The server, its database and its answers are the real ones; the photos are not, and a thread here takes the
worker's part: it saves a batch of photos that a fake has analysed, again and again, so that each second's
answer is another. Each page has a connection of its own and sends the ETag it has, as the page does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.cpu import cpu_name
from bench.fake_analyser import fake_analysis
from nightshift.machine.allowance import allowance
from nightshift.words.analysis import PhotoError
from nightshift.words.clock import utc_now
from nightshift.words.ids import new_id
from nightshift.words.new_job import NewJob
from shared.bundles.manifest import Manifest, locate_bundle, read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.processes.command_lines import api_command
from shared.queue.intake import NewPhoto, add_photos, open_job, submit
from shared.queue.queue import Queue
from shared.queue.save import Failed, Result, Succeeded
from shared.settings import Settings

EVERY_S = 2.0
BATCH = 8
SAVED_EVERY_S = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Asked:
    """What the pages saw.

    Attributes:
        took_ms: of each answer.
        statuses: how many answers had which.
        size_bytes: of each answer that was not 304.
        reconnected: how often a connection had been closed by the server while it lay idle.
    """

    took_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    size_bytes: list[int] = field(default_factory=list)
    reconnected: int = 0


def fill(database: Database, manifest: Manifest, photos: int) -> None:
    """A submitted job of so many photos that are nowhere."""
    with database.write() as session:
        job = open_job(session, "local", NewJob(label="a long night"), manifest)
        for first in range(0, photos, 1000):
            rows = [
                NewPhoto(f"{number:06}.jpg", new_id("pho"), sha256=f"{number:064x}", size_bytes=1)
                for number in range(first, min(first + 1000, photos))
            ]
            add_photos(session, "local", job.id, rows)
        submit(session, "local", job.id)


def save_batch(queue: Queue, manifest: Manifest, size: int) -> bool:
    """Take the next photos and save what a fake says of them; False when none is left."""
    held = queue.claim(worker="bench:1", batch_size=size)
    if held is None:
        return False
    results: list[Result] = []
    for photo in held.photos:
        found = fake_analysis(int(photo.custom_id.partition(".")[0]))
        if isinstance(found, PhotoError):
            results.append(Failed(photo.id, found, photo.sha256, 1))
        else:
            results.append(Succeeded(photo.id, photo.sha256 or "", 1, found))
    queue.save(held, results, bundle=manifest)
    return True


@contextmanager
def served(settings: Settings, key: str) -> Iterator[tuple[str, int]]:
    """The API as `nightshift serve` starts it; yields its URL and the id of the process that answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(  # noqa: S603 - our own command line
            api_command(settings, bind=f"fd://{listener.fileno()}"),
            pass_fds=[listener.fileno()],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")},
                "NIGHTSHIFT_HOME": str(settings.home),
                "NIGHTSHIFT_API_KEY": key,
                "NIGHTSHIFT_LOG_LEVEL": "WARNING",
            },
        )
        try:
            while httpx.get(f"{url}/healthz", timeout=60).status_code != httpx.codes.OK:
                time.sleep(0.1)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
            yield url, int(children.split()[0])
        finally:
            process.terminate()
            process.wait()


def cpu_s(pid: int) -> float:
    """Seconds of processor that a process has used."""
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / _TICKS


async def ask(url: str, key: str, pages: int, seconds: float) -> Asked:
    """Have so many pages be open for so long; they are opened one after another over two seconds."""
    asked = Asked()
    end_s = time.monotonic() + seconds
    await asyncio.gather(*(_page(url, key, n * EVERY_S / pages, end_s, asked) for n in range(pages)))
    return asked


async def _page(url: str, key: str, after_s: float, end_s: float, asked: Asked) -> None:
    await asyncio.sleep(after_s)
    etag, headers = "", {"Authorization": f"Bearer {key}"}
    # Without TLS: reading the certificates anew for each page holds this loop up, and all that it times.
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=False) as client:  # noqa: S501
        while time.monotonic() < end_s:
            begun_s = time.monotonic()
            known = {"If-None-Match": etag} if etag else {}
            try:
                answer = await client.get("/v1/overview?limit=20", headers=known)
            except httpx.RemoteProtocolError:
                # It was closed while it lay idle: a browser asks again over another.
                asked.reconnected += 1
                continue
            asked.took_ms.append(1000 * (time.monotonic() - begun_s))
            asked.statuses[answer.status_code] += 1
            if answer.status_code == httpx.codes.OK:
                etag = answer.headers["ETag"]
                asked.size_bytes.append(len(answer.content))
            # As the page: a pause after each answer.
            await asyncio.sleep(EVERY_S)


def measured(pages: int, photos: int, seconds: float) -> str:
    """Measure; returns what came out, as lines of text."""
    key = secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        manifest = read_manifest(locate_bundle(settings.bundle, settings.weights_dir))
        upgrade(settings.database_url)
        database = Database(settings.database_url)
        queue = Queue(database, settings)
        fill(database, manifest, photos)
        for _ in range(photos // 2 // 500):
            save_batch(queue, manifest, 500)
        over = threading.Event()

        def work() -> None:
            while not over.wait(SAVED_EVERY_S) and save_batch(queue, manifest, BATCH):
                pass

        with served(settings, key) as (url, pid):
            httpx.get(f"{url}/v1/overview", headers={"Authorization": f"Bearer {key}"}, timeout=60)
            worker = threading.Thread(target=work)
            worker.start()
            before_s, begun_s = cpu_s(pid), time.monotonic()
            asked = asyncio.run(ask(url, key, pages, seconds))
            took_s = time.monotonic() - begun_s
            used_s = cpu_s(pid) - before_s
            over.set()
            worker.join()
        database.close()
    cuts = statistics.quantiles(asked.took_ms, n=100)
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(asked.statuses.items()))
    size_kb, share = statistics.mean(asked.size_bytes) / 1000, 100 * used_s / took_s
    return "\n".join(
        [
            f"{utc_now():%Y-%m-%d}, {cpu_name()}, {allowance().cores} cores, load {os.getloadavg()[0]:.1f}",
            f"{pages} pages every {EVERY_S:g} s for {took_s:.0f} s, over a job of {photos:,} photos",
            f"{len(asked.took_ms) / took_s:.1f} requests a second ({statuses};"
            f" {asked.reconnected} asked again over a new connection)",
            f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, longest {max(asked.took_ms):.0f} ms",
            f"{size_kb:.1f} kB an answer; the API used {share:.1f} % of a core",
        ]
    )


def main() -> None:
    """Measure as the arguments say, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    print(measured(given.pages, given.photos, given.seconds))  # noqa: T201


if __name__ == "__main__":
    main()
