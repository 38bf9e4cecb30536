"""The benchmark from end to end, on two small photos. How long anything takes is not looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import needs_torch as _needs_torch  # noqa: F401

# isort: split
from bench import run
from bench.results import read_results
from bench.samples import astronaut_jpeg, no_face_jpeg


def test_plain_flow_and_pipeline_are_measured_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out.json"
    photos.mkdir()
    (photos / "somebody.jpg").write_bytes(astronaut_jpeg(300, exif_orientation=6))
    (photos / "nobody.jpg").write_bytes(no_face_jpeg())
    only = ["--only", "plain,pipeline,peer", "--peer-python", str(tmp_path / "none")]

    assert run.main([str(photos), *only, "--rounds", "1", "--warm-up", "1", "--out", str(out)]) == 0

    found = read_results(out)
    plain, pipeline = found.results
    assert (plain.name, pipeline.name) == ("plain", "pipeline")
    assert (plain.faces, pipeline.faces, pipeline.matched) == (1, 1, 1)
    assert {agreed.crops: agreed.faces for agreed in pipeline.agreements} == {"same": 1, "plain": 1}
    assert set(plain.stages) < set(pipeline.stages)
    assert min(plain.peak_bytes, pipeline.peak_bytes) > 100_000_000
    assert [entry.name for entry in found.skipped] == ["peer"]
    assert set(found.floors.face_flops) == {224, 384}
    text = out.read_text(encoding="utf-8")
    assert "somebody" not in text
    assert str(tmp_path) not in text
    assert "times the plain flow" in capsys.readouterr().out
