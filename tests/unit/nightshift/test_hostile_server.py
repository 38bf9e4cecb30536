"""What a server answers is data, too: it chooses no file that the command writes."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nightshift import Client
from nightshift.cli import app
from tests.support.answering_server import Answer, Received, serving

COUNTS = dict.fromkeys(("total", "queued", "running", "succeeded", "failed", "cancelled"), 0)


def job(job_id: str) -> dict[str, Any]:
    return {
        "id": job_id,
        "state": "ended",
        "outcome": "succeeded",
        "counts": COUNTS,
        "created_at": "2026-11-26T00:00:00Z",
    }


@pytest.mark.parametrize(
    "job_id", ["../../escaped", "/escaped", "job_1/../../../escaped", "job_\n", "..", "job_..", ""]
)
def test_the_id_that_it_answers_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    working = tmp_path / "a" / "b"
    working.mkdir(parents=True)
    monkeypatch.chdir(working)
    with serving(lambda *_: Answer(document=job(job_id))) as server:
        reported = CliRunner().invoke(app, ["report", "job_1", "--server", server.url, "--api-key", "k"])
    assert reported.exit_code == 6
    assert "not understood" in reported.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_members_of_its_thumbnails_are_no_paths(tmp_path: Path) -> None:
    names = [
        *("../escaped.webp", "/escaped.webp", f"pho_{'0' * 32}/../../escaped.webp", "pho_1.webp"),
        f"pho_{'a' * 32}.webp",
    ]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"webp"))
        link = tarfile.TarInfo(f"pho_{'b' * 32}.webp")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    def answer(_asked: Received, _number: int) -> Answer:
        return Answer(body=data.getvalue())

    folder = tmp_path / "a" / "thumbnails"
    with serving(answer) as server, Client(server.url, "k") as client:
        assert client.save_thumbnails("job_1", folder) == 1
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [
        Path("a", "thumbnails", f"pho_{'a' * 32}.webp")
    ]
