"""A long night: every 15 seconds something is killed, and nothing is lost or done twice."""

from __future__ import annotations

import os
import random
import signal
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from bench.samples import jpeg
from tests.faults.test_databases import on_postgresql as on_postgresql
from tests.faults.test_databases import server as server
from tests.support.faults.runs import Api, Run

EVERY_S = 15.0
SHORT = 600


class Night:
    """Kills at random, and keeps the numbers."""

    def __init__(self, run: Run, api: Api, workers: tuple[str, ...], seed: int) -> None:
        self._run = run
        self._api = api
        self._workers = workers
        self._dice = random.Random(seed)
        self._kinds: dict[str, Callable[[], None]] = {
            "worker": self._kill_worker,
            "pool child": self._kill_child,
            "broker": self._kill_broker,
            "API": self._kill_api,
            "sweeper": self._kill_sweeper,
        }
        self._deck: list[str] = []
        self.killed: set[str] = set()
        self.longest_stall_s = 0.0

    def go_through(self, name: str, photos: int) -> float:
        """Until the job has ended; photos a second, all told."""
        run = self._run
        begun_s = moved_s = time.monotonic()
        kill_at_s, final = begun_s + EVERY_S, 0
        while not run.has_ended():
            run.restart_ended()
            now_s, counts = time.monotonic(), run.counts()
            assert counts.total == photos == counts.queued + counts.running + counts.final
            assert counts.final >= final
            if counts.final > final:
                final, moved_s = counts.final, now_s
            self.longest_stall_s = max(self.longest_stall_s, now_s - moved_s)
            if now_s >= kill_at_s:
                kind = self._drawn()
                print(f"{now_s - begun_s:6.0f} s: {final:6d} final; killing the {kind}", flush=True)  # noqa: T201
                with run.fault(f"{name}: {kind} killed"):
                    self._kinds[kind]()
                kill_at_s = time.monotonic() + EVERY_S
            time.sleep(0.25)
        return photos / (time.monotonic() - begun_s)

    def _drawn(self) -> str:
        """Each kind once before any comes again, so that a night has them all."""
        if not self._deck:
            self._deck = list(self._kinds)
            self._dice.shuffle(self._deck)
        self.killed.add(kind := self._deck.pop())
        return kind

    def _kill_worker(self) -> None:
        name = self._dice.choice(self._workers)
        self._run.cluster.kill(name)
        self._run.start_again(name)

    def _kill_child(self) -> None:
        parent = self._run.cluster.processes[self._dice.choice(self._workers)].pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
        if children:
            os.kill(int(self._dice.choice(children)), signal.SIGKILL)

    def _kill_broker(self) -> None:
        self._run.cluster.kill("broker")
        self._run.cluster.start_broker()

    def _kill_api(self) -> None:
        self._api.kill()
        self._api.start()

    def _kill_sweeper(self) -> None:
        self._run.cluster.kill("sweeper")
        self._run.cluster.start_sweeper()


def through_the_night(run: Run, name: str, photos: int, workers: tuple[str, ...]) -> None:
    night = Night(run, Api(run), workers, seed=zlib.crc32(name.encode()))
    per_second = night.go_through(name, photos)
    if photos > SHORT:
        assert len(night.killed) == 5
    run.note(f"{name}: photos a second", per_second)
    run.note(f"{name}: longest stall, s", night.longest_stall_s)


SIZES = [pytest.param(SHORT, id="short"), pytest.param(20_000, id="whole")]


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("photos", SIZES)
def test_a_night_on_sqlite(run: Run, photos: int) -> None:
    run.start_workers("one", "two")
    run.submit(photos - 2, killer=b"die", hangs=b"hang")
    through_the_night(run, "test analyser, SQLite", photos, ("one", "two"))
    run.end(failed=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("photos", SIZES)
def test_a_night_on_postgresql(on_postgresql: Run, photos: int) -> None:
    run = on_postgresql
    run.start_workers("one", "two")
    run.submit(photos - 2, killer=b"die", hangs=b"hang")
    through_the_night(run, "test analyser, PostgreSQL", photos, ("one", "two"))
    run.end(failed=2)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("photos", [pytest.param(60, id="short"), pytest.param(2_000, id="whole")])
def test_a_night_with_the_real_pipeline(run: Run, photos: int) -> None:
    run.cluster.settings = run.cluster.settings.model_copy(update={"lease_s": 20.0, "photo_timeout_s": 10.0})
    run.cluster.kill("sweeper")
    run.cluster.start_sweeper()
    run.start_workers("one", "two", analyser="worker.main")
    face = Image.fromarray(data.astronaut()).crop((60, 0, 380, 320))
    pictures = [jpeg(face.resize((200 + side, 200 + side))) for side in range(40)]
    run.submit_bytes({f"{n:05d}.jpg": pictures[n % 40] + b"%d" % n for n in range(photos)})
    through_the_night(run, "real pipeline, SQLite", photos, ("one", "two"))
    run.assert_well()
    assert {(photo.status, photo.face_count) for photo in run.photos()} == {("succeeded", 1)}
