"""`nightshift serve` and `worker`, and the commands and the client that talk to them."""

import json
import re
import signal
import time
from pathlib import Path

from nightshift import Client
from tests.support.command import Nightshift, results, write_portraits
from tests.support.processes import wait_for


def test_submit_status_results_and_cancel(tmp_path: Path) -> None:
    server = Nightshift(tmp_path)
    write_portraits(tmp_path / "party", 3)
    (tmp_path / "party" / "bad.jpg").write_bytes(b"no photo")

    with server.running("serve", "--port", "0") as serving:
        stderr = tmp_path / "serve.stderr"
        wait_for(lambda: "serving on" in stderr.read_text() or serving.poll() is not None, "the server")
        found = re.search(r"serving on (\S+)", stderr.read_text())
        assert found, stderr.read_text()
        server.settings["SERVER"] = url = found[1]
        # The first start has made a key, and says where; the command finds it there by itself.
        key_file = server.home / "api_key"
        wait_for(lambda: str(key_file) in stderr.read_text(), "the line that says where")
        assert key_file.read_text().strip() not in stderr.read_text()

        forbidden = server.run("submit", "party", "--in-place")
        assert forbidden.returncode == 2
        assert "in_place_forbidden" in forbidden.stderr

        waiting = server.run("submit", "party", "--label", "no worker yet")
        job = waiting.stdout.strip()
        assert waiting.returncode == 0, waiting.stderr
        assert server.run("cancel", job).returncode == 0
        assert json.loads(server.run("status", job, "--json").stdout)["outcome"] == "cancelled"

        with Nightshift(tmp_path).running("worker", "--workers", "1"):
            submitted = server.run("submit", "party", "--wait", "--json")
            assert submitted.returncode == 3, submitted.stderr
            job = json.loads(submitted.stdout)["id"]
            assert job in server.run("status").stdout
            listed = server.run("results", job).stdout
            assert server.run("results", job, "--out", "results.jsonl").returncode == 0
            assert (tmp_path / "results.jsonl").read_text() == listed
            assert server.run("results", job, "--format", "csv").stdout.startswith("custom_id,")
            reported = server.run("report", job, "--out", "page")
            assert reported.stdout.strip() == str(tmp_path / "page" / "report.html"), reported.stderr
            assert len(list((tmp_path / "page").rglob("*.webp"))) == 3
            assert server.run("report", job, "--out", "results.jsonl").returncode == 2
            lines = {line["custom_id"]: line for line in results(tmp_path)}
            assert lines["bad.jpg"]["error"]["code"] == "unsupported_format"
            # Photos are sent several at a time: which is first is chance.
            assert {name: len(line["faces"]) for name, line in lines.items()} == {
                "bad.jpg": 0,
                "portrait-00.jpg": 1,
                "portrait-01.jpg": 1,
                "portrait-02.jpg": 1,
            }

            with Client(url, key_file.read_text().strip()) as client:
                assert client.summary(job).faces == 3
                assert [photo.custom_id for photo in client.results(job)] == list(lines)

        assert server.run("report", "job_nowhere").returncode == 2
        no_such = server.run("status", "job_nowhere")
        assert no_such.returncode == 2
        assert no_such.stderr.count("\n") == 1
        server.settings["API_KEY"] = "wrong" * 10
        refused = server.run("status")
        assert refused.returncode == 2
        assert "NIGHTSHIFT_API_KEY" in refused.stderr

    assert server.processes() == []
    away = server.run("status")
    assert away.returncode == 6
    assert "no answer from" in away.stderr


def test_commands_find_the_service_of_their_home_on_any_port_while_it_runs(tmp_path: Path) -> None:
    server = Nightshift(tmp_path)
    write_portraits(tmp_path / "party", 1)

    def server_told() -> str:
        return str(json.loads(server.run("submit", "party", "--dry-run", "--json").stdout)["to"])

    with server.running("serve", "--port", "0") as serving:
        said = tmp_path / "serve.stderr"
        wait_for(lambda: "ready: serving on" in said.read_text() or serving.poll() is not None, "the server")
        found = re.search(r"serving on (\S+)", said.read_text())
        assert found, said.read_text()
        assert server_told() == found[1]
        submitted = server.run("submit", "party")
        assert submitted.returncode == 0, submitted.stderr
        assert server.run("cancel", "latest").returncode == 0
        serving.kill()
        serving.wait(60)
        # Whoever listens there now is told neither the key nor photos.
        assert server_told() == "http://127.0.0.1:8080"


def test_a_key_that_people_think_of_is_refused(tmp_path: Path) -> None:
    refused = Nightshift(tmp_path, {"API_KEY": "secret"}).run("serve", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "NIGHTSHIFT_API_KEY" in refused.stderr


def test_a_worker_without_a_service_says_so(tmp_path: Path) -> None:
    alone = Nightshift(tmp_path).run("worker")
    assert alone.returncode == 6
    assert "nightshift serve" in alone.stderr


def test_ctrl_c_ends_a_worker_well_however_early(tmp_path: Path) -> None:
    server = Nightshift(tmp_path, {"BUNDLE": "faces-mobilenet"})
    told = tmp_path / "worker.stderr"
    with server.running("worker", "--workers", "1") as waiting:
        wait_for(lambda: "waiting" in told.read_text() or waiting.poll() is not None, "the worker waits")
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(180) == 0, told.read_text()
    with server.running("serve", "--port", "0") as serving:
        said = tmp_path / "serve.stderr"
        wait_for(lambda: "ready: serving on" in said.read_text() or serving.poll() is not None, "the server")
        # Before Celery is there, while it is read, and while the pool starts.
        for later_s in (0.0, 0.4, 1.0, 1.8):
            with server.running("worker", "--workers", "1") as working:
                wait_for(lambda: "working for" in told.read_text(), "the worker")
                time.sleep(later_s)
                working.send_signal(signal.SIGINT)
                assert working.wait(180) == 0, (later_s, told.read_text())
            assert "Traceback" not in told.read_text()


def test_both_greet_in_their_own_words_and_end_well_on_ctrl_c(tmp_path: Path) -> None:
    server = Nightshift(tmp_path, {"BUNDLE": "faces-mobilenet"})
    with server.running("serve", "--port", "0") as serving:
        said = tmp_path / "serve.stderr"
        wait_for(lambda: "ready: serving on" in said.read_text() or serving.poll() is not None, "the server")
        with server.running("worker", "--workers", "1") as working:
            told = tmp_path / "worker.stderr"
            wait_for(lambda: "main ready" in told.read_text() or working.poll() is not None, "the worker")
            working.send_signal(signal.SIGINT)
            assert working.wait(180) == 0, told.read_text()
        serving.send_signal(signal.SIGINT)
        assert serving.wait(180) == 0, said.read_text()
    for file, first in ((said, "nightshift: starting"), (told, "nightshift: working for the service of")):
        lines = file.read_text().splitlines()
        assert lines[0].startswith(first)
        for of_a_library in ("gunicorn", "celery", "alembic", "Warning", "-----"):
            assert not any(of_a_library in line for line in lines), file.read_text()
    assert "weights faces-mobilenet; `nightshift worker`" in said.read_text()
    assert "device=" in told.read_text()
