"""What a worker runs on: as set, else by timing, and never an answer that is another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nightshift.words.errors import ModelUnavailable
from worker.pipeline import bundle as bundles
from worker.pipeline import choice, kept_choice
from worker.pipeline.bundle import Bundle, load_bundle
from worker.pipeline.choice import OFF_BY, choose
from worker.pipeline.runtime import runtimes

CPU = "cpu"


@pytest.fixture
def bundle(random_bundle: Path) -> Bundle:
    return load_bundle(random_bundle, CPU)


def trial(runtime: str, precision: str, ms_a_face: float, answer: float = 0.5) -> Any:
    classifier = SimpleNamespace(runtime=runtime, precision=precision)
    return choice._Trial(classifier, ms_a_face, np.array([answer, 1 - answer], np.float32))  # type: ignore[arg-type]


@pytest.mark.parametrize("runtime", runtimes(CPU))
def test_what_is_set_is_used_untimed(bundle: Bundle, runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_try", pytest.fail)
    classifier, chosen = choose(bundle, runtime, "fp32")
    assert (classifier.runtime, classifier.precision) == (runtime, "fp32")
    assert (chosen.runtime, chosen.precision, chosen.because) == (runtime, "fp32", "set")


def test_else_the_timing_decides_and_is_told(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "native_precision", lambda _: "bf16")
    classifier, chosen = choose(bundle, "auto", "auto")
    assert classifier.runtime == chosen.runtime == "openvino"
    assert classifier.precision == chosen.precision
    assert "openvino fp32" in chosen.because and "openvino bf16" in chosen.because
    assert "ms a face" in chosen.because


def chosen_in(home: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, fast: str) -> choice.Choice:
    """What a worker of this home takes, where a timing says that this format is fast."""

    def timed(classifier: Any) -> Any:
        return choice._Trial(
            classifier, 1.0 if classifier.precision == fast else 9.0, np.zeros(2, np.float32)
        )

    with monkeypatch.context() as patch:
        patch.setattr(choice, "native_precision", lambda _: "bf16")
        patch.setattr(choice, "_try", timed)
        classifier, chosen = choose(bundle, "openvino", "auto", home)
    assert classifier.precision == chosen.precision
    return chosen


def test_workers_of_a_home_keep_to_what_the_first_of_them_chose(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    first = chosen_in(home, bundle, monkeypatch, "bf16")
    assert first.precision == "bf16"
    second = chosen_in(home, bundle, monkeypatch, "fp32")
    assert (second.precision, second.because) == ("bf16", f"kept: {first.because}")
    assert chosen_in(tmp_path / "other", bundle, monkeypatch, "fp32").precision == "fp32"
    assert choose(bundle, "openvino", "fp32", home)[1].precision == "fp32"


def test_of_two_that_start_together_the_second_takes_what_the_first_wrote(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen_in(tmp_path, bundle, monkeypatch, "fp32").precision == "fp32"
    read = kept_choice.KeptChoice.read
    looks = iter([lambda _: None, read])
    monkeypatch.setattr(kept_choice.KeptChoice, "read", lambda kept: next(looks)(kept))
    assert chosen_in(tmp_path, bundle, monkeypatch, "bf16").precision == "fp32"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"precision": "fp8", "because": ""}', b"\xff"])
def test_a_damaged_choice_is_made_anew(
    bundle: Bundle, tmp_path: Path, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen_in(tmp_path, bundle, monkeypatch, "bf16")
    (kept,) = (tmp_path / kept_choice.FOLDER).iterdir()
    kept.write_bytes(damage)
    assert chosen_in(tmp_path, bundle, monkeypatch, "fp32").precision == "fp32"
    assert chosen_in(tmp_path, bundle, monkeypatch, "bf16").precision == "fp32"


def test_a_home_that_cannot_be_written_to_does_without(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file")
    assert chosen_in(tmp_path / "home", bundle, monkeypatch, "bf16").precision == "bf16"


def test_on_a_cpu_openvino_is_used_untimed(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_try", pytest.fail)
    assert choose(bundle, "auto", "fp32")[1] == choice.Choice("openvino", "fp32", "nothing else to choose")


def test_on_a_cpu_torch_is_not_offered_in_bf16(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    monkeypatch.setattr(choice, "native_precision", lambda _: "bf16")
    monkeypatch.setattr(choice, "_try", pytest.fail)
    assert choose(bundle, "torch")[1] == choice.Choice("torch", "fp32", "nothing else to choose")


def test_a_runtime_that_is_not_installed_is_named(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "runtimes", lambda _: ("torch",))
    with pytest.raises(ModelUnavailable) as caught:
        choose(bundle, "openvino")
    assert caught.value.code == "runtime_unavailable"
    assert "openvino" in caught.value.message and "torch" in caught.value.message


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        ([trial("openvino", "fp32", 10), trial("torch", "fp32", 12)], ("openvino", "fp32")),
        ([trial("openvino", "fp32", 12), trial("torch", "fp32", 10)], ("torch", "fp32")),
        ([trial("torch", "fp32", 10), trial("torch", "bf16", 5)], ("torch", "bf16")),
        # A tenth is not worth the rounding.
        ([trial("torch", "fp32", 10), trial("torch", "bf16", 9.5)], ("torch", "fp32")),
        # Fast and wrong is wrong.
        ([trial("torch", "fp32", 10), trial("torch", "bf16", 1, 0.5 + 2 * OFF_BY)], ("torch", "fp32")),
        ([trial("torch", "fp32", 10), trial("torch", "bf16", 1, float("nan"))], ("torch", "fp32")),
        ([trial("openvino", "bf16", 10), trial("torch", "bf16", 5)], ("torch", "bf16")),
    ],
)
def test_the_fastest_that_agrees_is_best(trials: list[Any], best: tuple[str, str]) -> None:
    chosen = choice._best(trials).classifier
    assert (chosen.runtime, chosen.precision) == best


@pytest.mark.parametrize(
    ("able", "precision"),
    [("avx2", None), ("avx512bf16", "bf16"), ("amx-bf16", "bf16"), ("bf16", "bf16")],
)
def test_a_narrow_format_is_one_that_the_processor_has(
    able: str, precision: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "features", lambda: frozenset({able}))
    assert choice.native_precision(CPU) == precision
