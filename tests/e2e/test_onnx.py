"""A folder under two ONNX networks, from the import to the results, where a business asks for that."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command import Nightshift, results, write_portraits
from tests.support.onnx_made import make_onnx_bundle


def test_a_folder_runs_under_onnx_networks(tmp_path: Path) -> None:
    made = make_onnx_bundle(tmp_path / "sent" / "tiny")
    weights = {"WEIGHTS_DIR": str(tmp_path / "weights"), "BUNDLE": "not-there"}
    nightshift = Nightshift(tmp_path, {**weights, "REQUIRE_COMMERCIAL_USE": "true"})
    write_portraits(tmp_path / "party", 2)

    imported = nightshift.run("models", "import", "sent/tiny")
    assert (imported.returncode, imported.stdout) == (0, "tiny\n"), imported.stderr
    assert "commercial use: yes (made up)" in imported.stderr

    done = nightshift.run("run", "party", "--bundle", "tiny", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commercial_use"] == {"allowed": "yes", "reason": "made up"}
    lines = results(tmp_path / "out")
    assert len(lines) == 2
    for line in lines:
        assert line["bundle"]["sha256"] == made.sha256
        (face,) = line["faces"]
        assert abs(sum(face["gender"]["probabilities"].values()) - 1) < 1e-4
        assert abs(sum(face["age_group"]["probabilities"].values()) - 1) < 1e-4
        assert 0 <= face["age_years"] <= 80
    (data,) = (tmp_path / "out" / "report_files").glob("*/data.js")
    assert '"commercial_use":{"allowed":"yes","reason":"made up"}' in data.read_text()
    assert nightshift.processes() == []
