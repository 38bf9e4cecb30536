"""Training runs as a user starts them, from an archive of chips to a bundle that is measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.bundles.manifest import MANIFEST, TENSORS, read_manifest
from shared.settings import REPOSITORY
from tests.support.chips_made import write_chips, write_some
from tests.support.generated_bundle import write_random_bundle
from tests.support.needs_torch import torch
from tests.support.reference_data import CHIPS, TEACHERS
from tests.support.trainings import OF_500, SMALL, losses
from training import card, evaluate, export, plot, train
from training.checkpoint import Position, load_average
from training.log import read_log
from worker.pipeline.bundle import load_bundle


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of UTKFace's chips where they are, else an archive like it: validation looks at a twentieth."""
    path = tmp_path_factory.mktemp("chips") / "chips.zip"
    return write_some(CHIPS, path, 650) if CHIPS.is_file() else write_chips(path, 650)


@pytest.fixture(scope="module")
def run(chips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 500 chips, with teachers where there are some."""
    out = tmp_path_factory.mktemp("run")
    options = [*OF_500]
    if TEACHERS.is_file():
        options += ["--teachers", str(TEACHERS)]
    assert train.main(["--chips", str(chips), "--out", str(out), *options, "--ema-decay", "0.8"]) == 0
    return out


def test_the_loss_of_a_run_on_500_chips_falls(run: Path) -> None:
    seen = losses(run)
    assert len(seen) == 20
    assert np.mean(seen[-5:]) < 0.9 * np.mean(seen[:5])


def test_a_run_is_validated_after_each_epoch_and_drawn(run: Path) -> None:
    checks = [entry for entry in read_log(run) if entry["event"] == "validation"]
    assert [(entry["epoch"], entry["side"]) for entry in checks] == [(0, 32), (1, 40)]
    assert all(0 <= entry["gender"] <= 1 and entry["mae"] >= 0 for entry in checks)
    assert (run / "log.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert plot.main([str(run)]) == 0


def test_a_run_becomes_a_calibrated_bundle_that_is_measured_and_described(
    run: Path, chips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, docs = tmp_path / "made", tmp_path / "docs"
    taken = ["--chips", str(chips), "--count", "12"]
    assert export.main(["--run", str(run), "--out", str(bundle), *taken]) == 0
    manifest = read_manifest(bundle)
    assert (manifest.name, manifest.input.size) == ("made", 40)
    said = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    assert said["metrics"]["validation"]["chips"] == 12
    by_gender = said["metrics"]["validation"]["by"]["gender"]
    assert sum(part["chips"] for part in by_gender.values()) == 12
    right = sum(part["gender"] * part["chips"] for part in by_gender.values()) / 12
    assert right == pytest.approx(said["metrics"]["validation"]["gender"], abs=1e-3)
    assert said["calibration"]["gender"]["uncertain_below"] == manifest.heads.gender.uncertain_below

    assert export.main(["--run", str(run), "--out", str(bundle), *taken]) == 2
    assert "bundle_exists" in capsys.readouterr().err
    assert export.main(["--bundle", str(bundle), "--replace", *taken]) == 0
    anew = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["calibration"]
    for head, once in said["calibration"].items():
        if head != "comment":
            # Not 1: what was folded in before is taken out first.
            assert anew[head]["temperature"] == pytest.approx(once["temperature"], rel=0.02)

    assert evaluate.main(["--bundle", str(bundle), *taken, "--json"]) == 0
    output = capsys.readouterr().out
    found = json.loads(output[output.index('{\n  "bundle"') :])
    assert found["pipeline"]["chips"] == 12
    assert found["pipeline"]["found"]["value"] > 0.8
    assert found["scores"]["gender"]["value"] == said["metrics"]["validation"]["gender"]

    described = ["--bundle", str(bundle), "--docs", str(docs)]
    (docs / "model-card").mkdir(parents=True)
    assert card.main([*described, *taken, "--run", str(run)]) == 2
    assert "failures_not_seen" in capsys.readouterr().err
    (docs / "model-card" / "failures-seen.md").write_text(
        f"{read_manifest(bundle).sha256}\nAll of them are one face.\n", encoding="utf-8"
    )
    assert card.main([*described, "--text-only", "--run", str(run)]) == 0
    text = (docs / "model-card.md").read_text(encoding="utf-8")
    assert "All of them are one face." in text
    assert "stages | `32:1,40:1`" in text
    assert card.main([*described, "--check"]) == 0
    (docs / "model-card.md").write_text(text.replace("measured", "guessed"), encoding="utf-8")
    assert card.main([*described, "--check"]) == 2


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_run_goes_on_to_the_very_same_weights(chips: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    options = ["--chips", str(chips), *SMALL, "--stages", "32:2"]
    started = subprocess.Popen(
        [sys.executable, "-m", "training.train", *options, "--out", str(broken), "--processes", "1"],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not ((broken / "log.jsonl").is_file() and len(losses(broken)) >= 3):
        assert started.poll() is None
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGINT)  # as Ctrl-C does, to the processes that prepare chips, too
    assert started.wait(60) == 130
    assert len(losses(broken)) < 8
    assert train.main([*options, "--out", str(broken), "--resume"]) == 0
    assert train.main([*options, "--out", str(whole)]) == 0
    one, other = load_average(whole)[0], load_average(broken)[0]
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(whole) == losses(broken)


def test_a_run_can_end_before_its_stages_do(chips: Path, tmp_path: Path) -> None:
    options = ["--chips", str(chips), *SMALL, "--out", str(tmp_path), "--steps", "3"]
    assert train.main(options) == 0
    assert train.main([*options, "--resume"]) == 0, "a run that is complete stays as it is"
    assert len(losses(tmp_path)) == 3
    assert load_average(tmp_path)[1] == Position(0, 3)


def test_a_run_can_start_from_a_bundle(chips: Path, tmp_path: Path) -> None:
    start = write_random_bundle(tmp_path / "start", classes=("male", "female"))
    out = tmp_path / "run"
    options = ["--chips", str(chips), "--start", str(tmp_path / "start"), *SMALL, "--learning-rate", "1e-9"]
    assert train.main([*options, "--out", str(out)]) == 0
    assert json.loads((out / "recipe.json").read_text(encoding="utf-8"))["start"] == start.sha256
    before = load_bundle(tmp_path / "start").network.state_dict()
    after = load_average(out)[0]
    assert torch.allclose(before["gender.weight"], after["gender.weight"], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--chips", "nowhere.zip"], "chips_not_found"),
        (["--stages", "64"], "bad_stages"),
        (["--stages", "8:1"], "bad_stages"),
        (["--batch-size", "1"], "bad_recipe"),
        (["--batch-size", "600", "--train-chips", "20"], "bad_recipe"),
        (["--learning-rate", "nan"], "bad_recipe"),
        (["--teachers", "nowhere.npz"], "teachers_unreadable"),
        (["--resume"], "no_run"),
        (["--start", "nowhere"], "bundle_not_found"),
    ],
)
def test_wrong_input_is_named(
    chips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: str
) -> None:
    assert train.main(["--chips", str(chips), "--out", str(tmp_path / "run"), *options]) == 2
    assert code in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_another_run_is_not_overwritten(
    run: Path, chips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "recipe.json").read_bytes()
    assert train.main(["--chips", str(chips), "--out", str(run)]) == 2
    assert "run_exists" in capsys.readouterr().err
    assert train.main(["--chips", str(chips), "--out", str(run), "--resume"]) == 2
    assert "other_recipe" in capsys.readouterr().err
    assert (run / "recipe.json").read_bytes() == before


def test_a_broken_checkpoint_is_named(
    chips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    options = ["--chips", str(chips), *SMALL, "--out", str(out)]
    assert train.main(options) == 0
    path = out / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])
    assert train.main([*options, "--resume"]) == 2
    assert "bad_checkpoint" in capsys.readouterr().err
    assert export.main(["--run", str(out), "--chips", str(chips), "--out", str(tmp_path / "bundle")]) == 2
    assert "bad_checkpoint" in capsys.readouterr().err
    assert not (tmp_path / "bundle" / TENSORS).exists()
