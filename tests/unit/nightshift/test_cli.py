"""The command line in this process: what it refuses before anything is started."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.gunicorn_hooks import on_starting
from nightshift import __version__
from nightshift.cli import app
from nightshift.embedded.home import Home
from nightshift.embedded.interrupted_runs import note_run
from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions
from shared.bundles import detector
from shared.bundles.manifest import read_manifest
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.queue.intake import NewPhoto, add_photos, open_job
from tests.support.answering_server import Answer, Received, serving
from tests.support.bundles_made import make_bundle
from worker.main import _check_before_forking


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_version() -> None:
    assert invoke("--version").output.strip() == __version__


def test_the_help_shows_the_exit_codes() -> None:
    for arguments in (["--help"], ["run", "--help"]):
        assert "   3  finished, but some photos failed or could not be taken\n" in invoke(*arguments).output


def test_a_run_needs_paths() -> None:
    assert invoke("run").exit_code == 2


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    missing = invoke("run", "nowhere")
    assert missing.exit_code == 2
    assert missing.stderr == f"nightshift: no such file or folder: {tmp_path / 'nowhere'} (no_such_path)\n"
    assert not (tmp_path / "home").exists()


def test_a_folder_without_photos(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "film.mov").touch()
    empty = invoke("run", "folder")
    assert empty.exit_code == 2
    assert "no photos in" in empty.stderr
    assert "1 other file left alone: 1 video" in empty.stderr
    assert not (tmp_path / "home").exists()


def test_results_that_would_have_no_place(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    refused = invoke("run", "a.jpg", "--out", "a.jpg")
    assert refused.exit_code == 2
    assert "cannot be written to" in refused.stderr


@pytest.mark.parametrize("command", [["run", "a.jpg"], ["serve"], ["worker"]], ids=["run", "serve", "worker"])
def test_weights_that_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "a.jpg").touch()
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", "no-such-weights")
    unavailable = invoke(*command)
    assert unavailable.exit_code == 2
    last = unavailable.stderr.splitlines()[-1]
    assert str(tmp_path / "no-such-weights") in last
    assert last.endswith("(bundle_not_found)")
    assert not (tmp_path / "home").exists()


def test_the_parents_of_api_and_workers_refuse_weights_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", "no-such-weights")
    for start, name in ((lambda: on_starting(None), "api"), (_check_before_forking, "worker")):
        with pytest.raises(SystemExit, match=f"^nightshift {name}: bundle_not_found: .*no-such-weights"):
            start()


@pytest.fixture
def damaged_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(detector.DETECTOR, tmp_path / "mtcnn")
    path = tmp_path / "mtcnn" / detector.TENSORS
    path.write_bytes(path.read_bytes()[:-1])
    monkeypatch.setattr(detector, "DETECTOR", tmp_path / "mtcnn")
    return path


@pytest.mark.parametrize("command", [["run", "a.jpg"], ["serve"], ["worker"]], ids=["run", "serve", "worker"])
def test_a_damaged_detector_is_found_before_anything_is_started(
    tmp_path: Path, damaged_detector: Path, command: list[str]
) -> None:
    (tmp_path / "a.jpg").touch()
    unavailable = invoke(*command)
    assert unavailable.exit_code == 6
    last = unavailable.stderr.splitlines()[-1]
    assert f"{damaged_detector}: is not the file that {detector.ABOUT} names" in last
    assert last.endswith("(detector_unavailable)")
    assert not (tmp_path / "home").exists()


def test_workers_and_the_doctor_name_a_damaged_detector(damaged_detector: Path) -> None:
    with pytest.raises(SystemExit, match=f"^nightshift worker: detector_unavailable: {damaged_detector}: is"):
        _check_before_forking()
    (line,) = [line for line in invoke("admin", "doctor").stdout.splitlines() if " detector " in line]
    assert line.startswith("failed   detector") and str(damaged_detector) in line


@pytest.mark.parametrize("command", [["run", "a.jpg"], ["serve"], ["worker"]])
def test_weights_that_a_business_may_not_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (tmp_path / "a.jpg").touch()
    use = {"allowed": "no", "reason": "for research only"}
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", str(make_bundle(tmp_path / "mine", commercial_use=use)))
    monkeypatch.setenv("NIGHTSHIFT_REQUIRE_COMMERCIAL_USE", "true")
    unavailable = invoke(*command)
    assert unavailable.exit_code == 6
    last = unavailable.stderr.splitlines()[-1]
    assert "commercial use of the weights mine is 'no': for research only" in last
    assert last.endswith("(commercial_use_not_allowed)")
    assert not (tmp_path / "home").exists()
    for start, name in ((lambda: on_starting(None), "api"), (_check_before_forking, "worker")):
        with pytest.raises(SystemExit, match=f"^nightshift {name}: commercial_use_not_allowed: "):
            start()


def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "nightshift.db").write_bytes(b"no database" * 100)
    unavailable = invoke("run", "a.jpg")
    assert unavailable.exit_code == 6
    assert "(database_unavailable)" in unavailable.stderr.splitlines()[-1]


def test_nothing_to_resume() -> None:
    for flags in ([], ["--dry-run"]):
        nothing = invoke("run", "--resume", *flags)
        assert nothing.exit_code == 2
        assert "holds no interrupted run" in nothing.stderr
        assert "starting" not in nothing.stderr


def test_a_webhook_without_a_secret_is_found_out_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    # With a home, and before there is one.
    for flags in (["--dry-run"], [], ["--dry-run"]):
        refused = invoke("run", "a.jpg", "--notify", "https://example.org/hook", *flags)
        assert refused.exit_code == 2
        assert refused.stderr.endswith("(webhook_secret_missing)\n")
        assert "starting" not in refused.stderr


def test_a_run_beside_a_server_is_told_of_submit(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with Home(tmp_path / "home", "serve"):
        refused = invoke("run", "a.jpg")
    assert refused.exit_code == 7
    assert "`nightshift serve`: `nightshift submit` sends it photos, or name another home" in refused.stderr
    assert "starting" not in refused.stderr


def test_a_run_is_not_resumed_under_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    begun, other = make_bundle(weights / "begun"), make_bundle(weights / "other", tensors=b"others")
    monkeypatch.setenv("NIGHTSHIFT_WEIGHTS_DIR", str(weights))
    url = f"sqlite:///{tmp_path / 'home' / 'nightshift.db'}"
    (tmp_path / "home").mkdir()
    upgrade(url)
    database = Database(url)
    with database.write() as session:
        options, bundle = JobOptions(), read_manifest(begun)
        job = open_job(session, "local", NewJob(options=options), bundle)
        note_run(tmp_path / "home", job.id, [tmp_path / "party"], tmp_path / "out")
    database.close()
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", str(other))
    refused = invoke("run", "--resume")
    assert refused.exit_code == 2
    assert f"the weights begun, sha256 {bundle.sha256[:12]}" in refused.stderr
    assert refused.stderr.endswith("(other_weights)\n")


def test_runs_that_were_broken_off_are_listed_and_dropped(tmp_path: Path) -> None:
    assert "no run was broken off" in invoke("runs").stderr
    assert not (tmp_path / "home").exists()
    url = f"sqlite:///{tmp_path / 'home' / 'nightshift.db'}"
    (tmp_path / "home").mkdir(mode=0o700)
    upgrade(url)
    database = Database(url)
    bundle = read_manifest(make_bundle(tmp_path / "mine"))
    with database.write() as session:
        job = open_job(session, "local", NewJob(label="garden"), bundle).id
        add_photos(session, "local", job, [NewPhoto("x.jpg", "pho_1", in_place_path="/x.jpg")])
        note_run(tmp_path / "home", job, [tmp_path / "party"], tmp_path / "out")
    database.close()
    listed = invoke("runs")
    assert listed.exit_code == 0, listed.stderr
    for part in (job, "garden", "0 of 1", str(tmp_path / "party"), str(tmp_path / "out")):
        assert part in listed.stdout
    (told,) = json.loads(invoke("runs", "--json").stdout)
    (tmp_path / "party").mkdir()
    (tmp_path / "party" / "x.jpg").touch()
    planned = invoke("run", "--resume", "--dry-run")
    assert "run garden would go on: 0 of 1 are done" in planned.stderr
    assert (planned.exit_code, str(tmp_path / "out") in planned.stdout) == (0, True)
    assert (told["job_id"], told["label"], told["done"], told["total"]) == (job, "garden", 0, 1)

    none = invoke("runs", "--drop", "0000")
    assert (none.exit_code, "no interrupted run 0000" in none.stderr) == (2, True)
    dropped = invoke("runs", "--drop", job[:12])
    assert dropped.exit_code == 0, dropped.stderr
    assert f"{job} is dropped" in dropped.stderr
    assert "no run was broken off" in invoke("runs").stderr
    assert invoke("run", "--resume").exit_code == 2


def test_a_setting_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").touch()
    monkeypatch.setenv("NIGHTSHIFT_BATCH_SIZE", "many")
    wrong = invoke("run", "a.jpg")
    assert wrong.exit_code == 2
    assert "NIGHTSHIFT_BATCH_SIZE" in wrong.stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("results", "job_1", "--format", "bogus"), "'bogus' is not one of 'jsonl',"),
        (("run", ".", "--max-failure-rate", "many"), "--max-failure-rate"),
        (("pause", "job_1", "--until", "soon"), "--until"),
    ],
)
def test_a_value_that_is_wrong_is_told_in_our_words(asked: tuple[str, ...], said: str) -> None:
    wrong = invoke(*asked)
    assert (wrong.exit_code, said in wrong.stderr) == (2, True), wrong.stderr
    for words in ("Value error", "Input should", "valid"):
        assert words not in wrong.stderr.replace("Invalid value", "")


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    away = invoke("status", "--server", "http://127.0.0.1:9")
    assert away.exit_code == 6
    assert "nightshift serve" in away.stderr


@pytest.mark.parametrize(
    ("refusal", "given", "erased"),
    [
        (Answer(403, {"code": "in_place_forbidden", "detail": "not from here"}), [], True),
        (Answer(422, {"code": "bad_custom_id", "detail": "no name"}), [], True),
        (Answer(500, {"code": "internal", "detail": "broken"}), [], False),
        (Answer(403, {"code": "in_place_forbidden", "detail": "not from here"}), ["--job", "job_1"], False),
    ],
)
def test_a_job_whose_photos_are_refused_in_place_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Answer, given: list[str], erased: bool
) -> None:
    monkeypatch.setattr("nightshift.connection.FIRST_PAUSE_S", 0.001)
    (tmp_path / "a.jpg").write_bytes(b"a")
    job = {"id": "job_1", "state": "open", "counts": {}, "created_at": "2026-01-01T00:00:00Z"}

    at = "2026-01-01T00:00:00Z"
    receipt = {"job_id": "job_1", "reason": "requested", "requested_at": at, "completed_at": at}

    def answer(asked: Received, _number: int) -> Answer:
        if asked.method == "DELETE":
            return Answer(200, receipt)
        return refusal if asked.path.endswith("/photos/in-place") else Answer(200, job)

    with serving(answer) as server:
        server_and_key = ("--server", server.url, "--api-key", "k")
        told = invoke("submit", str(tmp_path), "--in-place", *given, *server_and_key)
    assert told.exit_code
    assert str(refusal.document["detail"]) in told.stderr
    assert any(asked.method == "DELETE" for asked in server.requests) == erased
    assert ("is open still" in told.stderr) != erased


def test_a_receiver_that_wants_nothing_more_is_named_when_a_job_is_made(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    url = "https://example.org/gone"
    job = {"id": "job_1", "state": "queued", "counts": {}, "created_at": "2026-01-01T00:00:00Z"}
    job |= {"notify_disabled": [url]}

    def answer(asked: Received, _number: int) -> Answer:
        return Answer(200, {"missing": []} if asked.path.endswith("/photos/check") else job)

    with serving(answer) as server:
        at = ("--server", server.url, "--api-key", "k")
        sent = invoke("submit", str(tmp_path), "--notify", url, *at)
    assert (sent.exit_code, sent.stdout) == (0, "job_1\n")
    assert f"{url} has answered 410" in sent.stderr


def test_each_file_that_was_not_sent_is_named_here_and_in_the_job(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    job = {"id": "job_1", "state": "open", "counts": {}, "created_at": "2026-01-01T00:00:00Z"}

    def answer(asked: Received, _number: int) -> Answer:
        if asked.path.endswith("/photos/check"):
            return Answer(200, {"missing": ["a.jpg"]})
        if asked.method == "PUT":
            return Answer(413, {"code": "too_large", "detail": "it is over the limit"})
        if asked.path.endswith("/photos/not-sent"):
            return Answer(200, {"added": 1, "total": 1})
        return Answer(200, job)

    with serving(answer) as server:
        sent = invoke("submit", str(tmp_path), "--server", server.url, "--api-key", "k")
    assert sent.exit_code == 3
    assert f"not sent: {tmp_path / 'a.jpg'}: it is over the limit" in sent.stderr
    told = [json.loads(asked.body) for asked in server.requests if asked.path.endswith("/photos/not-sent")]
    assert told == [{"photos": [{"custom_id": "a.jpg", "reason": "too_large", "place": 0}]}]
