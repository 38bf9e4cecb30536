"""A bundle that teaches another network, and bundles of the second architecture that are trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.bundles.manifest import MANIFEST, TENSORS, read_manifest
from tests.support.chips_made import write_chips
from tests.support.generated_bundle import manifest, random_tensors, write_random_bundle
from tests.support.needs_torch import torch
from tests.support.trainings import OF_500, SMALL, losses, steps
from training import export, train
from training.checkpoint import load_average
from training.chips import GENDERS, ChipArchive
from training.lessons import Teacher
from training.loop import TrainingRun
from training.recipe import make_recipe
from worker.pipeline.bundle import load_bundle, write_bundle


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chips(tmp_path_factory.mktemp("chips") / "chips.zip", 650)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "teacher"
    write_random_bundle(folder, size=48, architecture="mobilenet_v1", classes=GENDERS)
    return folder


def test_500_chips_are_taught_by_a_teacher_and_the_loss_falls(
    chips: Path, teacher: Path, tmp_path: Path
) -> None:
    # Of one size: maps and features of another are another lesson.
    taught = ["--teacher", str(teacher), "--teacher-weight", "1", "--stages", "40:2"]
    assert train.main(["--chips", str(chips), "--out", str(tmp_path), *OF_500, *taught]) == 0
    seen = steps(tmp_path)
    assert len(seen) == 20
    for name in ("loss", "lesson_features", "lesson_maps"):
        values = [step[name] for step in seen]
        assert np.mean(values[-5:]) < 0.95 * np.mean(values[:5]), name
    recipe = json.loads((tmp_path / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["teacher"] == read_manifest(teacher).sha256
    assert not any("projections" in name for name in load_average(tmp_path)[0])


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class PowerCut(Exception):
    """Nothing is saved any more."""


@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_lesson_goes_on_to_the_very_same_weights(
    chips: Path, teacher: Path, tmp_path: Path
) -> None:
    recipe = make_recipe(stages="32:1", batch_size=8, train_chips=32, teacher=read_manifest(teacher).sha256)

    def run(name: str) -> TrainingRun:
        (tmp_path / name).mkdir(exist_ok=True)
        return TrainingRun(
            recipe,
            ChipArchive(chips),
            None,
            tmp_path / name,
            teacher=Teacher(teacher),
            processes=0,
            checkpoint_every_s=0,
        )

    def cut_short(done: int, _total: int, _numbers: dict[str, float]) -> None:
        if done == 3:
            raise PowerCut

    run("whole").run()
    with pytest.raises(PowerCut):
        run("broken").run(cut_short)
    run("broken").run()
    one, other = (load_average(tmp_path / name)[0] for name in ("whole", "broken"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert losses(tmp_path / "whole") == losses(tmp_path / "broken")


def test_a_mobilenet_is_trained_further_and_becomes_a_bundle(
    chips: Path, teacher: Path, tmp_path: Path
) -> None:
    options = ["--chips", str(chips), *SMALL, "--start", str(teacher), "--head-rate", "5"]
    assert train.main([*options, "--out", str(tmp_path / "run"), "--learning-rate", "1e-4"]) == 0
    bundle = tmp_path / "mobile"
    assert export.main(["--run", str(tmp_path / "run"), "--chips", str(chips), "--out", str(bundle)]) == 0
    made = read_manifest(bundle)
    assert (made.architecture, made.features, made.input.size) == ("mobilenet_v1", 1024, 32)
    assert made.licence == "none: random numbers; trained on UTKFace: non-commercial research only"
    before, after = (load_bundle(folder).network for folder in (teacher, bundle))
    assert not torch.equal(before.gender.weight, after.gender.weight)
    again = tmp_path / "again"
    assert export.main(["--bundle", str(bundle), "--chips", str(chips), "--out", str(again)]) == 0
    assert read_manifest(again).architecture == "mobilenet_v1"


def test_an_architecture_other_than_the_starts_is_refused(
    chips: Path, teacher: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--chips", str(chips), *SMALL, "--start", str(teacher), "--out", str(tmp_path / "run")]
    assert train.main([*options, "--architecture", "efficientnet_v2_s"]) == 2
    assert "bad_start" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def of_groups(folder: Path) -> None:
    age = {"kind": "groups"}
    write_bundle(
        folder, manifest(age=age, architecture="mobilenet_v1"), random_tensors(8, architecture="mobilenet_v1")
    )


def of_females_first(folder: Path) -> None:
    write_random_bundle(folder, architecture="mobilenet_v1")


def otherwise_normalised(folder: Path) -> None:
    write_random_bundle(folder, architecture="mobilenet_v1", classes=GENDERS)
    edit(folder, "input", {"mean": [0.5, 0.5, 0.5]})


def cut_off(folder: Path) -> None:
    write_random_bundle(folder, architecture="mobilenet_v1")
    (folder / TENSORS).write_bytes((folder / TENSORS).read_bytes()[:-1000])


def edit(folder: Path, part: str, change: dict[str, object]) -> None:
    document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    document[part] |= change
    (folder / MANIFEST).write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (of_groups, "bad_{}"),
        (of_females_first, "bad_{}"),
        (otherwise_normalised, "bad_{}"),
        (cut_off, "bundle_sha256"),
        (lambda _: None, "bundle_not_found"),
    ],
)
def test_what_cannot_teach_or_be_started_from_is_named(
    chips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], write: object, code: str
) -> None:
    assert callable(write)
    write(tmp_path / "teacher")
    options = ["--chips", str(chips), *SMALL, "--out", str(tmp_path / "run")]
    for role in ("teacher", "start"):
        assert train.main([*options, f"--{role}", str(tmp_path / "teacher")]) == 2
        assert code.format(role) in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
