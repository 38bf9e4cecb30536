"""The original model's checkpoints against the bundle made of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.settings import REPOSITORY
from tests.support.generated_bundle import random_tensors
from tests.support.needs_torch import Tensor, nn, torch
from worker.import_checkpoints import main
from worker.pipeline.bundle import load_bundle
from worker.pipeline.classify import Classifier
from worker.pipeline.label import age_labels, gender_label

SIDE = 64
CPU = "cpu"


CROPS = np.random.default_rng(5).integers(0, 256, (24, SIDE, SIDE, 3)).astype(np.uint8)
CROPS[::2] //= 3  # some dark, so that the answers differ


def normalised(crops: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Tensor:
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (images - mean[:, None, None]) / std[:, None, None]


def head(outputs: int, middle: Tensor, loudness: Tensor) -> nn.Sequential:
    linear = nn.Linear(1280, outputs)
    with torch.no_grad():
        linear.weight.copy_(torch.randn(outputs, 1280) * loudness)
        linear.bias.copy_(-linear.weight @ middle + 0.1 * torch.randn(outputs))
    return nn.Sequential(nn.Dropout(0.2), linear).eval()


class Original:
    """The original model as its modules: features, then one head after another."""

    def __init__(self) -> None:
        from torchvision.models import efficientnet_v2_s  # type: ignore[import-untyped]

        torch.manual_seed(11)
        self.features = efficientnet_v2_s(weights=None).features.eval()
        tensors = {
            n.removeprefix("features."): torch.from_numpy(t)
            for n, t in random_tensors(dtype="float32").items()
            if n.startswith("features.")
        }
        self.features.load_state_dict(tensors)
        # An untrained head says almost the same to everything: let it speak up, about the mean face.
        with torch.inference_mode():
            features = self.features(normalised(CROPS)).mean(dim=(2, 3))
        middle, loudness = features.mean(dim=0), 1 / features.std(dim=0).norm()
        self.gender, self.male, self.female = (head(outputs, middle, 2 * loudness) for outputs in (2, 7, 7))

    def save(self, folder: Path, wrap: Callable[[nn.Module], nn.Module] = lambda module: module) -> list[str]:
        """Write the four files; arguments of the command that names them."""
        parts = {
            "features": wrap(self.features).state_dict(),
            "gender": self.gender.state_dict(),
            "age-male": self.male.state_dict(),
            "age-female": self.female.state_dict(),
        }
        arguments = []
        for name, state in parts.items():
            torch.save(state, folder / f"{name}.pth")
            arguments += [f"--{name}", str(folder / f"{name}.pth")]
        return [*arguments, "--out", str(folder / "bundle"), "--input-size", str(SIDE)]

    def run(self, images: Tensor, classes: tuple[str, str] = ("male", "female")) -> tuple[Tensor, Tensor]:
        """Gender [N, 2] and, of the age head for the likelier gender, the seven groups [N, 7]."""
        with torch.inference_mode():
            features = nn.functional.adaptive_avg_pool2d(self.features(images), 1).flatten(1)
            gender = self.gender(features).softmax(dim=1)
            heads = {"male": self.male(features), "female": self.female(features)}
            ages = torch.stack([heads[classes[int(row.argmax())]][index] for index, row in enumerate(gender)])
        return gender, ages.softmax(dim=1)


@pytest.fixture(scope="module")
def original() -> Original:
    return Original()


class Whole(nn.Module):
    """As a class of its own would hold them."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features


@pytest.mark.parametrize(
    "wrap",
    [
        lambda module: module,
        lambda module: nn.Sequential(module, nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        Whole,
    ],
    ids=["bare", "sequential", "features"],
)
@pytest.mark.parametrize("classes", [("male", "female"), ("female", "male")])
def test_the_bundle_answers_as_the_original_modules_do(
    original: Original, tmp_path: Path, wrap: Callable[[nn.Module], nn.Module], classes: tuple[str, str]
) -> None:
    assert main([*original.save(tmp_path, wrap), "--gender-classes", ",".join(classes)]) == 0
    bundle = load_bundle(tmp_path / "bundle", CPU)
    gender, age = Classifier(bundle, "fp32")(CROPS)
    expected_gender, expected_age = original.run(normalised(CROPS), classes)
    np.testing.assert_allclose(gender, expected_gender, atol=1e-4)
    assert len(set(gender.argmax(axis=1))) == 2, "the crops must exercise both age heads"
    heads = bundle.manifest.heads
    for index in range(len(CROPS)):
        assert (
            gender_label(gender[index], heads.gender).value == classes[int(expected_gender[index].argmax())]
        )
        group, years = age_labels(age[index], gender[index], heads.age)
        assert years is None
        found = list(group.probabilities.values())
        assert found[0] == 0.0, "group 0-4 is unknown to the original"
        np.testing.assert_allclose(found[1:], expected_age[index], atol=1e-4)


def test_the_other_genders_age_head_would_answer_otherwise(original: Original) -> None:
    images = normalised(CROPS)
    _, right = original.run(images)
    _, wrong = original.run(images, ("female", "male"))
    assert (right - wrong).abs().max() > 0.1


def test_the_manifest_says_what_was_imported(original: Original, tmp_path: Path) -> None:
    assert main([*original.save(tmp_path), "--name", "theirs"]) == 0
    manifest = load_bundle(tmp_path / "bundle", CPU).manifest
    assert (manifest.name, manifest.input.size) == ("theirs", SIDE)
    assert manifest.heads.gender.classes == ("male", "female")
    assert manifest.heads.age.by_gender
    assert "0-4" in (manifest.heads.age.model_extra or {})["comment"]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, "one line"
    return error


class Payload:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_whole_modules_and_payloads_are_refused_and_not_run(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = original.save(tmp_path)
    mark = tmp_path / "it-ran"
    for content in (
        original.gender,
        Payload(mark),
        [torch.zeros(1)],
        {"a": 1},
        {1: torch.zeros(1)},
        {},
        "text",
    ):
        torch.save(content, tmp_path / "gender.pth")
        assert refused(arguments, capsys).startswith("checkpoint_not_tensors: ")
    assert not mark.exists()
    assert not (tmp_path / "bundle").exists()


def test_bytes_that_are_no_checkpoint_are_refused(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = original.save(tmp_path)
    (tmp_path / "age-male.pth").write_bytes(b"not a checkpoint at all")
    assert refused(arguments, capsys).startswith("checkpoint_not_tensors: ")
    (tmp_path / "age-male.pth").unlink()
    assert refused(arguments, capsys).startswith("checkpoint_unreadable: ")


@pytest.mark.parametrize(
    ("name", "state", "named"),
    [
        ("gender", {"1.weight": torch.zeros(3, 1280), "1.bias": torch.zeros(3)}, "gender"),
        ("age-female", {"1.weight": torch.zeros(8, 1280), "1.bias": torch.zeros(8)}, "age-female"),
        ("age-male", {"1.weight": torch.zeros(7, 1280)}, "age-male"),
        ("features", {"0.0.weight": torch.zeros(24, 3, 3, 3)}, "features"),
        ("features", {"conv1.weight": torch.zeros(64, 3, 7, 7)}, "features"),
    ],
)
def test_checkpoints_of_other_networks_are_refused(
    original: Original,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    state: dict[str, Tensor],
    named: str,
) -> None:
    arguments = original.save(tmp_path)
    torch.save(state, tmp_path / f"{name}.pth")
    error = refused(arguments, capsys)
    assert error.startswith("checkpoint_shape: ")
    assert named in error


def test_features_of_another_width_are_refused(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = original.save(tmp_path)
    state = dict(original.features.state_dict())
    state["7.0.weight"] = torch.zeros(1280, 200, 1, 1)
    torch.save(state, tmp_path / "features.pth")
    assert "7.0.weight" in refused(arguments, capsys)


def test_gender_classes_must_be_both(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*original.save(tmp_path), "--gender-classes", "male,male"]
    assert refused(arguments, capsys).startswith("bad_gender_classes: ")


def test_an_impossible_input_size_is_refused(
    original: Original, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "input.size" in refused([*original.save(tmp_path), "--input-size", "7"], capsys)


def test_the_command_runs_as_a_module(original: Original, tmp_path: Path) -> None:
    arguments = original.save(tmp_path)
    (tmp_path / "gender.pth").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-m", "worker.import_checkpoints", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("checkpoint_not_tensors: ")
    assert "Traceback" not in done.stderr
