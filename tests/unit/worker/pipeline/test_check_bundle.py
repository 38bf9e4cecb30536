"""A bundle is checked down to its answers: by the pipeline, and by the command that starts it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.words.errors import ModelUnavailable
from tests.support.generated_bundle import manifest, random_tensors, write_random_bundle
from worker.check_bundle import check_bundle, made_crops, main
from worker.pipeline.bundle import write_bundle


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "whole"
    write_random_bundle(folder)
    return folder


def test_a_whole_bundle_answers(whole: Path) -> None:
    assert check_bundle(whole) == {"tensors": 784, "age_outputs": 101, "crops": 4}


def test_crops_are_the_extremes() -> None:
    crops = made_crops(32)
    assert crops.shape == (4, 32, 32, 3)
    assert [(int(crop.min()), int(crop.max())) for crop in crops[:3]] == [(0, 0), (255, 255), (0, 255)]


def test_an_answer_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    tensors = random_tensors(dtype="float32")
    # Each is finite; their products are not.
    tensors["features.7.1.weight"] = np.full((1280,), 1e8, np.float32)
    tensors["gender.weight"] = np.tile(np.array([1e34, -1e34], np.float32), (2, 640))
    write_bundle(tmp_path, manifest(), tensors)
    with pytest.raises(ModelUnavailable, match="not finite") as caught:
        check_bundle(tmp_path)
    assert caught.value.code == "bundle_tensors"


def test_errors_are_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bundle_not_found"


def test_the_command_says_what_a_bundle_is(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python would import a stranger's worker.py from the folder it is started in.
    (tmp_path / "worker.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIGHTSHIFT_WEIGHTS_DIR", str(whole.parent))
    done = CliRunner().invoke(app, ["models", "check", "whole", "--json"])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["name"], told["input_size"], told["tensors"]) == ("random-64", 64, 784)
    assert told["uncertain_below"] == {"gender": 0.75, "age_group": 0.4}
    assert str(told["path"]) == str(whole)
