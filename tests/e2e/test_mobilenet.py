"""A folder under weights of the second architecture, from the command to the results."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command import Nightshift, results, write_portraits
from tests.support.generated_bundle import write_random_bundle


def test_a_folder_runs_under_a_mobilenet(tmp_path: Path) -> None:
    mobile = write_random_bundle(tmp_path / "weights" / "mobile", size=96, architecture="mobilenet_v1")
    nightshift = Nightshift(tmp_path, {"WEIGHTS_DIR": str(tmp_path / "weights"), "BUNDLE": "not-there"})
    write_portraits(tmp_path / "party", 2)

    checked = nightshift.run("models", "check", "weights/mobile", "--json")
    assert json.loads(checked.stdout)["architecture"] == "mobilenet_v1"

    done = nightshift.run("run", "party", "--bundle", "mobile", "--out", "out", "--no-report")
    assert done.returncode == 0, done.stderr
    lines = results(tmp_path / "out")
    assert len(lines) == 2
    for line in lines:
        assert line["bundle"]["sha256"] == mobile.sha256
        (face,) = line["faces"]
        assert abs(sum(face["gender"]["probabilities"].values()) - 1) < 1e-4
