"""The services of docker-compose.yml as plain processes: nothing is lost when a worker is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cluster import run
from bench.samples import astronaut_jpeg, no_face_jpeg


@pytest.mark.timeout(600)
def test_a_cluster_survives_a_killed_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(40):
        (photos / f"face-{number}.jpg").write_bytes(astronaut_jpeg() + b"%d" % number)
    (photos / "nobody.jpg").write_bytes(no_face_jpeg())
    (photos / "broken.jpg").write_bytes(b"no photo")
    assert run(photos, tmp_path / "out", kill=True) == 0
    told = capsys.readouterr().out
    assert "killed in mid-batch" in told
    assert "partial after" in told
    assert "0 lost, 0 doubled; database and store agree" in told
    lines = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    found = {photo["custom_id"]: photo for photo in map(json.loads, lines)}
    assert len(found) == len(lines) == 42
    assert found["broken.jpg"]["error"]["code"] == "unsupported_format"
    assert all(len(found[f"face-{number}.jpg"]["faces"]) == 1 for number in range(40))
    assert found["nobody.jpg"]["faces"] == []
