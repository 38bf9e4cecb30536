"""`nightshift run` in an environment that lacks what networks run on: one of the two, or both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.command import Nightshift, write_portraits
from tests.support.environments import environment_without

TORCH = ("torch", "torchvision", "facenet_pytorch")


def run_without(folder: Path, *packages: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """A run over one portrait, and what its workers logged."""
    programs = environment_without(folder / "environment", packages)
    write_portraits(folder / "party", 1)
    nightshift = Nightshift(folder, {"RUNTIME": "auto"}, command=programs / "nightshift")
    done = nightshift.run("run", "party", "--out", "out", "--no-report")
    assert nightshift.processes() == []
    return done, (nightshift.home / "logs" / "workers.log").read_text()


def one_face(folder: Path) -> bool:
    (line,) = (folder / "out" / "results.jsonl").read_text().splitlines()
    return len(json.loads(line)["faces"]) == 1


def test_without_torch_openvino_does_it(tmp_path: Path) -> None:
    done, log = run_without(tmp_path, *TORCH)
    assert done.returncode == 0, done.stderr
    assert one_face(tmp_path)
    assert "runtime=openvino " in log


def test_without_openvino_torch_does_it(tmp_path: Path) -> None:
    from tests.support import needs_torch as _needs_torch  # noqa: F401

    done, log = run_without(tmp_path, "openvino")
    assert done.returncode == 0, done.stderr
    assert one_face(tmp_path)
    assert "runtime=torch " in log


def test_without_both_it_says_what_to_install(tmp_path: Path) -> None:
    done, _ = run_without(tmp_path, "openvino", *TORCH)
    assert done.returncode == 6, done.stderr
    last = done.stderr.rstrip().split("\n")[-1]
    assert "OpenVINO is not installed, and torch is not installed (pip install" in last
    assert "runtime_unavailable" in last
