"""A run that is broken off, gently or not, leaves no process behind and is gone on with."""

import json
import signal
from pathlib import Path

from tests.support.command import Nightshift, results, write_portraits
from tests.support.processes import wait_for

PHOTOS = 30


def interrupted(tmp_path: Path) -> Nightshift:
    write_portraits(tmp_path / "party", PHOTOS)
    return Nightshift(tmp_path, {"BATCH_SIZE": "2"})


def check_complete(nightshift: Nightshift) -> list[int]:
    lines = results(nightshift.folder / "out")
    assert sorted(line["custom_id"] for line in lines) == [f"portrait-{n:02}.jpg" for n in range(PHOTOS)]
    assert all(line["status"] == "succeeded" and len(line["faces"]) == 1 for line in lines)
    assert nightshift.succeeded() == PHOTOS
    return [line["attempts"] for line in lines]


def test_ctrl_c_stops_in_order_and_resume_does_each_photo_once(tmp_path: Path) -> None:
    nightshift = interrupted(tmp_path)
    (tmp_path / "party" / "PORTRAIT-07.NEF").touch()
    runner = nightshift.start("run", "party", "--out", "out")
    wait_for(lambda: nightshift.succeeded() > 2 or runner.poll() is not None, "the first results")
    runner.send_signal(signal.SIGINT)
    _, said = runner.communicate()

    assert runner.returncode == 130
    assert "nightshift run --resume" in said
    assert nightshift.processes() == []
    assert 0 < nightshift.succeeded() < PHOTOS
    # With what the workers saved before they went.
    assert f"stopped; {nightshift.succeeded()} of {PHOTOS} photos are done and kept" in said
    assert not (tmp_path / "out").exists()

    resumed = nightshift.run("run", "--resume")

    assert resumed.returncode == 0, resumed.stderr
    assert "going on with the interrupted run party\n" in resumed.stderr
    # The attempts that were broken off have been given back.
    assert check_complete(nightshift) == [1] * PHOTOS
    # What the first one found beside the photos is said still.
    pairs = (tmp_path / "out" / "pairs.jsonl").read_text().splitlines()
    assert [json.loads(pair) for pair in pairs] == [
        {"custom_id": "portrait-07.jpg", "raw_file": "PORTRAIT-07.NEF"}
    ]


def test_ctrl_c_during_the_start_says_whether_a_job_had_begun(tmp_path: Path) -> None:
    nightshift = interrupted(tmp_path)
    runner = nightshift.start("run", "party", "--out", "out")
    lock = nightshift.home / "lock"
    wait_for(lambda: lock.exists() and lock.read_text().startswith(f"{runner.pid} "), "the home to be locked")
    runner.send_signal(signal.SIGINT)
    _, said = runner.communicate()
    assert runner.returncode == 130
    assert "stopped before a job had begun: there is nothing to go on with\n" in said
    assert "holds no interrupted run" in nightshift.run("run", "--resume").stderr


def test_a_killed_runner_leaves_nothing_running_and_resume_completes(tmp_path: Path) -> None:
    nightshift = interrupted(tmp_path)
    runner = nightshift.start("run", "party", "--out", "out")
    lock = nightshift.home / "lock"
    wait_for(lambda: lock.exists() and lock.read_text().startswith(f"{runner.pid} "), "the home to be locked")
    second = nightshift.run("run", "party")
    assert second.returncode == 7
    assert f"in use by process {runner.pid}" in second.stderr

    wait_for(lambda: nightshift.succeeded() > 2 or runner.poll() is not None, "the first results")
    kinds = " ".join(nightshift.processes())
    assert all(part in kinds for part in ("valkey-server", "gunicorn", "worker.early"))
    runner.send_signal(signal.SIGKILL)
    runner.communicate()
    nightshift.wait_until_gone()
    assert 0 < nightshift.succeeded() < PHOTOS

    resumed = nightshift.run("run", "party", "--resume")

    assert resumed.returncode == 0, resumed.stderr
    check_complete(nightshift)
