"""Whatever a server, a file or an error says, the terminal is steered by nobody but the command."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from nightshift.cli import app
from nightshift.progress import JobProgress
from nightshift.screen import PlainSink, Screen, cell, say, tell, tell_json
from nightshift.words.documents import Job, PhotoCounts

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egpj\u2028ok\nnightshift: forged\r[red]m[/red]:smile:"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]")


def assert_plain(text: str) -> None:
    assert not RAW.search(text), ascii(text)
    assert not any(line.startswith("nightshift: forged") for line in text.splitlines()), ascii(text)
    assert "[red]m[/red]" in text, ascii(text)


def evil_job(**more: Any) -> dict[str, Any]:
    counts = {"total": 2, "succeeded": 1, "failed": 1}
    return {
        "id": "job_1", "label": EVIL, "state": EVIL, "outcome": None, "counts": counts,
        "created_at": "2026-11-24T00:00:00Z", "metadata": {EVIL: EVIL}, **more,
    }  # fmt: skip


def evil_photo() -> dict[str, Any]:
    error = {"code": EVIL, "stage": EVIL, "message": EVIL}
    return {"custom_id": EVIL, "photo_id": EVIL, "status": "failed", "error": error}


def evil_summary() -> dict[str, Any]:
    return {
        "photos": evil_job()["counts"], "faces": 1, "gender": {"female": 1}, "age_group": {EVIL: 1},
        "uncertain_because": {EVIL: 1}, "failures": {EVIL: 1}, "notice": EVIL,
        "commercial_use": {"allowed": EVIL, "reason": EVIL},
    }  # fmt: skip


class EvilServer(BaseHTTPRequestHandler):
    """Answers every request with what means harm."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, document: Any, content_type: str = "application/json") -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Look at something."""
        key = {
            "id": EVIL,
            "name": EVIL,
            "owner": EVIL,
            "scopes": [EVIL],
            "created_at": "2026-11-24T00:00:00Z",
        }
        if self.path.startswith("/v1/keys"):
            self._answer(200, {"keys": [key]})
        elif self.path.endswith("/results"):
            self._answer(200, f'{{"custom_id": "{EVIL}"}}\n'.encode(), "application/x-ndjson")
        elif self.path.startswith("/v1/jobs/job_gone"):
            self._answer(404, {"code": EVIL, "detail": EVIL, "title": EVIL, "state": EVIL})
        elif self.path.endswith("/summary"):
            self._answer(200, evil_summary())
        elif "/photos" in self.path:
            self._answer(200, {"photos": [evil_photo()]})
        elif self.path.startswith("/v1/jobs/"):
            self._answer(200, evil_job())
        else:
            self._answer(200, {"jobs": [evil_job(), evil_job()]})

    def do_POST(self) -> None:
        """Move something."""
        if self.path == "/v1/keys":
            key = {
                "id": EVIL,
                "name": EVIL,
                "owner": EVIL,
                "scopes": [EVIL],
                "created_at": "2026-11-24T00:00:00Z",
            }
            self._answer(201, {**key, "key": EVIL})
        else:
            self._answer(202, evil_job())

    def do_DELETE(self) -> None:
        """Erase something."""
        self._answer(409, {"code": EVIL, "detail": EVIL})


@pytest.fixture(scope="module")
def evil() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), EvilServer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["status", "job_1"],
        ["status", "job_gone"],
        ["summary", "job_1"],
        ["failures", "job_1"],
        ["pause", "job_1"],
        ["resume", "job_1"],
        ["cancel", "job_1"],
        ["retry", "job_1"],
        ["delete", "--yes", "job_1"],
        ["keys", "list"],
        ["keys", "create", "x"],
    ],
    ids=" ".join,
)
def test_a_servers_answers_are_shown_plain(evil: str, command: list[str]) -> None:
    ran = CliRunner().invoke(app, [*command, "--server", evil], env={"COLUMNS": "400"})
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    assert_plain(ran.output.replace("\t", " "))  # stands between the columns of a list


@pytest.mark.parametrize(
    "command", [["status"], ["status", "job_1"], ["keys", "list"], ["keys", "create", "x"]], ids=" ".join
)
def test_json_says_the_same_and_steers_nothing(evil: str, command: list[str]) -> None:
    ran = CliRunner().invoke(app, [*command, "--json", "--server", evil])
    assert_plain(ran.stdout)
    found = json.loads(ran.stdout)
    found = found[0] if isinstance(found, list) else found
    assert EVIL in {found.get("label"), found.get("name")}


def test_names_of_files_are_shown_plain(tmp_path: Path) -> None:
    folder = tmp_path / EVIL.replace("/", "")
    folder.mkdir()
    (folder / "notes.\x1b[31mtxt").write_text("no photo")
    for paths in ([str(folder)], [str(folder / "missing")]):
        ran = CliRunner().invoke(
            app, ["run", *paths, "--home", str(tmp_path / "home")], env={"COLUMNS": "400"}
        )
        assert ran.exit_code == 2, ran.output
        assert not RAW.search(ran.output.replace("\n", ""))


def test_a_remark_is_one_line_and_its_other_lines_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"not sent: {EVIL}")
    tell(EVIL)
    said = capsys.readouterr()
    assert_plain(said.err)
    assert_plain(said.out)
    assert all(line.startswith(("nightshift: not sent", "    ")) for line in said.err.splitlines())
    assert len(said.out.splitlines()) == 1


def test_a_screen_lets_nothing_through(capsys: pytest.CaptureFixture[str]) -> None:
    text = io.StringIO()
    screen = Screen(file=text, width=400, force_terminal=True, color_system=None)
    table = Table(box=None)
    table.add_column(EVIL)
    table.add_row(EVIL)
    table.add_row(cell(EVIL, "red"))
    screen.print(EVIL, table)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue())
    assert not RAW.search(shown), ascii(shown)
    assert ":smile:" in shown and "[red]m[/red]" in shown


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("make", [Console, Screen])
def test_progress_shows_a_state_plain(terminal: bool, make: type[Console]) -> None:
    text = io.StringIO()
    now = [0.0]
    job = Job(id="job_1", state=EVIL, counts=PhotoCounts(total=2, succeeded=2), created_at=datetime.now(UTC))
    console = make(file=text, width=400, force_terminal=terminal, color_system=None)
    with JobProgress(console, clock=lambda: now[0]) as progress:
        now[0] = 60.0
        progress.show(job)
        progress._bar.refresh()
    # What a bar steers itself: cursor and lines.
    shown = re.sub(r"\x1b\[(\?25[lh]|[0-9;]*[mAKJ])|\r", "", text.getvalue())
    assert_plain(shown)


def test_results_on_a_terminal_are_escaped_and_elsewhere_as_they_are() -> None:
    out = io.BytesIO()
    sink = PlainSink(out)
    data = f'{{"custom_id": "ä{EVIL}"}}\r\n'.encode() + b"\xff\n"
    for place in range(0, len(data), 3):
        sink.write(data[place : place + 3])
    shown = out.getvalue().decode()
    assert not RAW.search(shown), ascii(shown)
    assert '"ä\\x1b]0;pwned' in shown and "\\xff\n" in shown


def test_json_of_half_a_surrogate_pair_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    tell_json({"path": "\udcff", "b": ["\u009b"]})
    said = capsys.readouterr().out
    assert said.isascii()
    assert json.loads(said) == {"path": "\udcff", "b": ["\u009b"]}


def test_a_table_in_a_pipe_is_not_filled_up_with_blanks() -> None:
    text = io.StringIO()
    table = Table.grid(padding=(0, 2))
    table.add_row("Photos", "24: 24 succeeded")
    table.add_row("Faces", "2")
    Screen(file=text, width=1000).print(table)
    assert text.getvalue() == "Photos  24: 24 succeeded\nFaces   2\n"
