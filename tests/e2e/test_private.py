"""Everything that the service and the command write is for its owner alone, wherever it lies."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightshift.machine.privacy import open_to_others
from tests.support.command import Nightshift, write_portraits
from tests.support.processes import wait_for


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """What a shell has: others may read what a program does not keep from them."""
    kept = os.umask(0o022)
    yield
    os.umask(kept)


def test_database_store_logs_results_and_report(tmp_path: Path) -> None:
    data, photos = tmp_path / "data", tmp_path / "photos"
    places = {"DATABASE_URL": f"sqlite:///{data}/db/service.db", "STORE_URL": f"file://{photos}/store"}
    server = Nightshift(tmp_path, {"API_KEY": "the-root-key-of-a-service-in-a-test", **places})
    write_portraits(tmp_path / "party", 2)
    with server.running("serve", "--port", "0") as serving:
        stderr = tmp_path / "serve.stderr"
        wait_for(lambda: "serving on" in stderr.read_text() or serving.poll() is not None, "the server")
        found = re.search(r"serving on (\S+)", stderr.read_text())
        assert found, stderr.read_text()
        server.settings["SERVER"] = found[1]
        with Nightshift(tmp_path, {"API_KEY": "", **places}).running("worker", "--workers", "1"):
            submitted = server.run("submit", "party", "--wait")
            assert submitted.returncode == 0, submitted.stderr
        job = submitted.stdout.strip().splitlines()[0]
        assert server.run("results", job, "--out", "results.jsonl").returncode == 0
        assert server.run("report", job, "--out", "page").returncode == 0

        kept = [path for folder in (server.home, data, photos) for path in folder.rglob("*")]
        names = {path.name for path in kept}
        assert {"service.db", "service.db-wal", "service.db-shm", "runner.log", "appendonlydir"} <= names
        assert sum(name.endswith(".thumbnail.webp") for name in names) == 2
        written = [tmp_path / "results.jsonl", tmp_path / "page"]
        assert list(open_to_others([server.home, data, photos, *written])) == []
        told = server.run("admin", "doctor").stdout
        assert "ok       privacy" in told

        (data / "db" / "service.db").chmod(0o644)
        told = server.run("admin", "doctor").stdout
        assert f"others may read {data}/db/service.db: chmod -R go= {data}/db/service.db" in told
