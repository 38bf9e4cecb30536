"""`int8.safetensors` by its command: labels are compared, and nothing is written that does not agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from shared.bundles.manifest import INT8, MANIFEST
from tests.support import needs_torch as _needs_torch  # noqa: F401
from tests.support.chips_made import write_chips
from tests.support.generated_bundle import write_random_bundle
from training import quantise
from training.metrics import Answers
from training.quantise import agreement, main
from worker.pipeline.bundle import load_bundle
from worker.pipeline.int8 import able


def answers(gender: list[list[float]], groups: list[list[float]]) -> Answers:
    count = len(gender)
    zeros = np.zeros(count, np.int64)
    return Answers(np.array(gender), np.array(groups), np.zeros(count), zeros, zeros)


def test_agreement_is_of_labels_and_says_how_close_the_others_were() -> None:
    full = answers([[0.9, 0.1], [0.51, 0.49]], [[0.6, 0.4], [0.45, 0.55]])
    narrow = answers([[0.8, 0.2], [0.49, 0.51]], [[0.6, 0.4], [0.45, 0.55]])
    found = agreement(full, narrow)
    assert (found.gender, found.age_group) == (0.5, 1.0)
    assert found.largest_lead_lost == pytest.approx(0.02)
    assert found.probability_moved == pytest.approx((0.1 + 0.02) / 2)
    assert "gender 50.00%" in str(found)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("SEEN", 6), ("TRIED", 4), ("COMPARED", 8)):
        monkeypatch.setattr(quantise, name, count)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_random_bundle(tmp_path / "mine", architecture="mobilenet_v1")
    return tmp_path / "mine"


def command(bundle: Path, folder: Path) -> list[str]:
    chips = write_chips(folder / "chips.zip", 120)
    return ["--bundle", str(bundle), "--chips", str(chips), "--count", "8"]


@pytest.mark.usefixtures("few")
def test_it_writes_what_a_worker_reads(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quantise, "WANTED", 0.0)
    monkeypatch.setattr(quantise, "CLOSE", 1.0)
    before = json.loads((bundle / MANIFEST).read_text())
    assert main(command(bundle, tmp_path)) == 0
    found = load_bundle(bundle)
    assert found.int8 is not None and list(found.int8) == list(able("mobilenet_v1"))
    assert any(incoming.low < 0 for incoming in found.int8.values())
    assert all(incoming.high > 0 and incoming.means.any() for incoming in found.int8.values())
    told = found.manifest.int8
    assert told is not None and 0 <= told.gender <= 1
    after = json.loads((bundle / MANIFEST).read_text())
    assert after.pop("int8")["chips"] == 5 and after == before
    assert "on validation chips" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.usefixtures("few")
def test_where_labels_do_not_agree_nothing_is_written(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quantise, "WANTED", 1.1)
    before = (bundle / MANIFEST).read_bytes()
    assert main(command(bundle, tmp_path)) == 1
    assert (bundle / MANIFEST).read_bytes() == before and not (bundle / INT8).exists()
    said = capsys.readouterr().err
    assert "nothing was written" in said and "6 of 14 in fp32" in said


def test_without_a_bundle_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bundle", str(tmp_path / "none"), "--chips", str(tmp_path / "none.zip")]) == 2
    assert capsys.readouterr().err.startswith("bundle_not_found: ")
