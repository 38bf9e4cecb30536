"""What there is to run on, and what that does to the process."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from nightshift.words.errors import ModelUnavailable
from shared.settings import REPOSITORY
from tests.support.requirements import require
from worker.pipeline import device, runtime
from worker.pipeline.device import choose_device
from worker.pipeline.runtime import RuntimeName, has_torch, runtimes

BUILDS_TWO_AND_GIVES_THEM_UP = """
import gc, os, signal, sys
from worker.pipeline.layers import Filled, MaxPool
from worker.pipeline.runtime import compiled

def build():
    return compiled(Filled(MaxPool(2, 2), {}), (1, 3, 8, 8), runtime=sys.argv[1])

one, other = build(), build()
del one
gc.collect()
del other
gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""


@pytest.mark.parametrize("name", runtimes("cpu"))
def test_signals_are_survived_when_networks_are_gone(name: RuntimeName) -> None:
    """One that crashed would, to the queue, have been killed by its photos."""
    ran = subprocess.run(
        [sys.executable, "-c", BUILDS_TWO_AND_GIVES_THEM_UP, name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "handled\nalive\n", "")


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """As if they were not installed."""
    monkeypatch.setattr(runtime, "find_spec", lambda name: None if name in packages else find_spec(name))
    runtime.openvino_lacks.cache_clear()
    monkeypatch.setattr(runtime, "openvino_lacks", runtime.openvino_lacks.__wrapped__)


def test_the_cpus_first_choice_is_openvino() -> None:
    assert runtimes("cpu")[0] == "openvino"


def test_without_openvino_torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    require(has_torch(), "torch is not installed", essential=False)
    without(monkeypatch, "openvino")
    assert runtimes("cpu") == ("torch",)


def test_without_torch_only_openvino_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch")
    assert runtimes("cpu") == ("openvino",)


def test_without_both_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "openvino", "torch")
    with pytest.raises(ModelUnavailable) as caught:
        runtimes("cpu")
    assert caught.value.code == "runtime_unavailable"
    assert "OpenVINO is not installed, and torch is not installed (pip install" in caught.value.message


@pytest.mark.parametrize("machine", ["ppc64le", "aarch64"])
def test_a_processor_that_openvino_does_not_know_is_named(
    monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    def refuse() -> None:
        raise RuntimeError("Exception from src/inference/src/core.cpp:1:\nCPU device is not registered\n")

    without(monkeypatch, "torch")
    monkeypatch.setattr(runtime, "openvino_core", refuse)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ModelUnavailable, match=rf"processor \({machine}: CPU device is not registered\)"):
        runtimes("cpu")


def test_it_runs_without_avx2() -> None:
    """On what a processor of 2010 has; OpenVINO reads the variable when it is loaded."""
    require(sys.platform.startswith("linux"), "asks for another set of instructions by a variable")
    ran = subprocess.run(
        [sys.executable, "-m", "worker.check_bundle", str(REPOSITORY / "weights" / "faces-mobilenet")],
        cwd=REPOSITORY,
        env={"PATH": "", "ONEDNN_MAX_CPU_ISA": "SSE41", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert '"crops": 4' in ran.stdout


def test_cuda_without_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch")
    with pytest.raises(ModelUnavailable) as caught:
        choose_device("cuda")
    assert caught.value.code == "device_unavailable"
    assert "torch is not installed: make run GPU=1" in caught.value.message


def test_left_to_choose_nobody_loads_torch_where_there_is_no_gpu(tmp_path: Path) -> None:
    assert not device._may_have_gpu(tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidiactl").touch()
    assert device._may_have_gpu(tmp_path)
