"""Workers that are killed, stopped, asked to end; photos that kill or hang them; machines that sleep."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import libfaketime
import pytest

from shared.processes.command_lines import sweeper_command
from tests.support.faults.moments import MOMENTS
from tests.support.faults.runs import Api, Run
from tests.support.processes import wait_for


def signal_all(run: Run, number: int, *names: str) -> None:
    for name in names:
        os.killpg(run.cluster.processes[name].pid, number)


@pytest.mark.soak
def test_workers_killed_again_and_again(run: Run) -> None:
    """At any moment: while they claim, in mid-batch, between their save and the next claim."""
    run.start_workers("one", "two")
    run.submit(400)
    dice = random.Random(4)
    run.wait_for_final(10)
    for number in range(4):
        with run.fault("worker killed"):
            time.sleep(dice.uniform(0, 0.3))
            for name in ("one", "two") if number % 2 else ("one",):
                run.cluster.kill(name)
                run.start_workers(name)
    run.end()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_innocent_photos_survive_however_often_workers_are_killed(run: Run) -> None:
    """Five times as many kills as a photo survives crashes, and one photo that is no innocent."""
    run.start_workers("one", "two")
    run.submit(2000, killer=b"die")
    run.wait_for_final(10)
    dice = random.Random(25)
    for _ in range(25):
        with run.fault("worker killed, one of 25 times"):
            time.sleep(dice.uniform(0, 0.5))
            name = dice.choice(("one", "two"))
            run.cluster.kill(name)
            run.start_workers(name)
        assert not run.has_ended()
    run.end(failed=1)
    (killer,) = [photo for photo in run.photos() if photo.status == "failed"]
    assert killer.error is not None
    assert killer.error["code"] == "worker_lost"


@pytest.mark.parametrize(
    "moments",
    [MOMENTS, *(pytest.param((moment, moment), marks=pytest.mark.soak) for moment in MOMENTS)],
    ids=" then ".join,
)
def test_workers_killed_at_these_moments(run: Run, tmp_path: Path, moments: tuple[str, ...]) -> None:
    armed = tmp_path / "armed"
    armed.touch()
    run.start_workers("one", FAULTS_DIE_AT=str(armed))
    run.submit(200)
    run.wait_for_final(10)
    armed.write_text("\n".join(moments) + "\n", encoding="utf-8")

    def all_died() -> bool:
        run.restart_ended()
        return not armed.read_text(encoding="utf-8")

    wait_for(all_died, "the workers to die")
    when = "at each moment in turn" if moments == MOMENTS else f"{moments[0]}, twice in a row"
    with run.fault(f"worker killed {when}"):
        pass
    begun = sum(moment in ("batch begun", "in mid-batch", "saving") for moment in moments)
    run.end(crashed=begun * run.cluster.settings.batch_size)


def stop_with_a_lease(run: Run, name: str) -> None:
    """SIGSTOP the only worker while it holds a lease, and not the lock that everybody needs."""

    def is_stopped_with_a_lease() -> bool:
        signal_all(run, signal.SIGSTOP, name)
        # All of its threads have stopped by then.
        time.sleep(0.1)
        if run.workers_at_work() == 1 and run.may_write():
            return True
        signal_all(run, signal.SIGCONT, name)
        return False

    wait_for(is_stopped_with_a_lease, "the worker to be stopped with a lease")


def test_a_worker_stopped_past_its_lease_changes_nothing_late(run: Run) -> None:
    run.use_lease(6)
    run.start_workers("one")
    run.submit(300)
    run.wait_for_final(8)
    with run.fault("worker stopped past its lease"):
        stop_with_a_lease(run, "one")
        run.start_workers("two")
    run.wait_for_final(300)
    signal_all(run, signal.SIGCONT, "one")
    # It goes on with what it had, and finds that it is no longer its own.
    wait_for(lambda: bool(re.search(r" lost job=| lost=[1-9]", run.cluster.log("one"))), "the late save")
    run.end(crashed=8)


def test_a_photo_that_kills_its_worker_is_quarantined_alone(run: Run) -> None:
    run.start_workers("one", "two")
    with run.fault("photo that kills its worker"):
        run.submit(60, killer=b"die")
    run.end(failed=1)
    (killer,) = [photo for photo in run.photos() if photo.status == "failed"]
    assert killer.error is not None
    assert killer.error["code"] == "worker_lost"
    assert (killer.crashes, killer.attempts) == (5, 5)


def test_a_photo_that_hangs_costs_itself_alone(run: Run) -> None:
    run.start_workers("one")
    with run.fault("photo that hangs"):
        run.submit(40, hangs=b"hang")
    run.end(failed=1, crashed=0)
    (hung,) = [photo for photo in run.photos() if photo.status == "failed"]
    assert hung.error is not None
    assert (hung.error["code"], hung.attempts) == ("timeout", 1)


def test_too_little_memory_costs_nothing(run: Run) -> None:
    run.start_workers("one")
    with run.fault("out of memory in a batch"):
        run.submit(40, fat=b"fat", fatter=b"fat too")
    run.end(crashed=0)


def test_the_machine_sleeps(run: Run) -> None:
    run.use_lease(6)
    api = Api(run)
    run.start_workers("one", "two")
    run.submit(200)
    run.wait_for_final(8)
    names = ["api", "sweeper", "broker", "one", "two"]
    signal_all(run, signal.SIGSTOP, *names)
    with run.fault("machine asleep for longer than a lease"):
        time.sleep(run.cluster.settings.lease_s + 2)
        random.Random(1).shuffle(names)
        for name in names:
            signal_all(run, signal.SIGCONT, name)
            time.sleep(0.2)
    wait_for(api.answers, "the API to answer again")
    run.end(crashed=0)


def test_a_stop_gives_the_batch_back_in_time(run: Run) -> None:
    run.start_workers(
        "one", NIGHTSHIFT_SHUTDOWN_S="1", NIGHTSHIFT_PHOTO_TIMEOUT_S="60", NIGHTSHIFT_LEASE_S="120"
    )
    run.submit(3, hangs=b"hang")

    def held() -> set[str]:
        return {photo.custom_id for photo in run.photos() if photo.status == "running"}

    wait_for(lambda: "00001-hangs.jpg" in held(), "the photo that hangs to be in work")
    batch = held()
    # Its leases are shorter than this worker's: it would have them run out.
    run.cluster.kill("sweeper")
    time.sleep(0.5)
    run.cluster.processes["one"].terminate()
    run.cluster.processes.pop("one").wait(timeout=30)
    given_back = [photo for photo in run.photos() if photo.custom_id in batch]
    assert {(photo.status, photo.attempts, photo.crashes) for photo in given_back} == {("queued", 0, 0)}
    run.cluster.start_sweeper()
    with run.fault("worker asked to stop while a photo hangs"):
        run.start_workers("two")
    run.end(failed=1, crashed=0)


@pytest.mark.parametrize("step", ["+3600", pytest.param("-3600", marks=pytest.mark.soak)])
def test_the_clock_is_set(run: Run, step: str) -> None:
    (library,) = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
    clock = run.folder.parent / "clock"
    clock.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    run.cluster.kill("sweeper")
    run.cluster.start("sweeper", sweeper_command(), **faked)
    run.start_workers("one", "two", **faked)
    run.submit(300)
    run.wait_for_final(8)
    with run.fault(f"clock set by {int(step) // 3600:+d} h"):
        clock.write_text(f"{step}\n")
    run.cluster.kill("two")
    run.end(crashed=8)
    wait_for(lambda: "the clock was set" in run.cluster.log("sweeper"), "the sweeper to notice")
