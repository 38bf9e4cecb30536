"""A run whose photos are away for a while, or stay away."""

import time
from pathlib import Path

from tests.support.command import Nightshift, results, write_portraits
from tests.support.processes import wait_for

PHOTOS = 60


def test_a_share_that_is_away_for_four_seconds_costs_nothing(tmp_path: Path) -> None:
    write_portraits(tmp_path / "party", PHOTOS)
    nightshift = Nightshift(tmp_path, {"BATCH_SIZE": "2"})
    run = nightshift.start("run", "party", "--out", "out", "--no-report")
    wait_for(lambda: nightshift.succeeded() > 2 or run.poll() is not None, "the first results")
    moved = (tmp_path / "party").rename(tmp_path / "away")
    time.sleep(4)
    moved.rename(tmp_path / "party")
    _, err = run.communicate(timeout=240)
    assert run.returncode == 0, err
    assert len(results(tmp_path / "out")) == PHOTOS


def test_a_share_that_stays_away_is_told_and_given_up(tmp_path: Path) -> None:
    write_portraits(tmp_path / "party", PHOTOS)
    nightshift = Nightshift(tmp_path, {"BATCH_SIZE": "2", "GIVE_UP_S": "25"})
    run = nightshift.start("run", "party", "--out", "out", "--no-report")
    wait_for(lambda: nightshift.succeeded() > 2 or run.poll() is not None, "the first results")
    moved = (tmp_path / "party").rename(tmp_path / "away")
    _, err = run.communicate(timeout=240)
    assert run.returncode == 6, err
    assert err.count("waiting: the folder of the photos is away") == 1
    assert "(gave_up)" in err
    assert nightshift.processes() == []
    moved.rename(tmp_path / "party")
    resumed = nightshift.run("run", "--resume", "--no-report")
    assert resumed.returncode == 0, resumed.stderr
    assert len(results(tmp_path / "out")) == PHOTOS
