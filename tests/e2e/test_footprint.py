"""A start and a job are measured with the real command and the real service, on two photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import footprint
from bench.footprint_results import read_footprint
from bench.samples import astronaut_jpeg, no_face_jpeg


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "somebody.jpg").write_bytes(astronaut_jpeg(300))
    (folder / "nobody.jpg").write_bytes(no_face_jpeg())
    return folder


def test_parts_are_measured_one_by_one_into_one_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "footprint.json"
    monkeypatch.setattr(footprint, "START_RUNS", 1)
    monkeypatch.setattr(footprint, "MEMORY_PHOTOS", 3)
    for part in ("start", "memory", "4"):
        assert footprint.main([part, str(photos), "--out", str(out)]) == 0
    found = read_footprint(out)
    assert found.start is not None and found.memory is not None and found.install is None
    assert found.start.photos == 2
    assert 0 < found.start.first_s[0] <= found.start.total_s[0]
    assert (found.memory.photos, found.memory.workers, list(found.jobs)) == (3, 1, [4])
    assert found.jobs[4].faces == 2
    for cost in (found.memory, found.jobs[4]):
        assert 0 < cost.worker_own_bytes <= cost.worker_bytes <= cost.worker_peak_bytes
    assert str(tmp_path) not in out.read_text()


def test_a_part_that_is_none_is_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        footprint.main(["laziness", str(photos)])
    assert "laziness is no part" in capsys.readouterr().err
