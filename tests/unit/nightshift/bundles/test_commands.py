"""`nightshift models`: what it lists, brings in and compares; runs and checks are stand-ins."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nightshift.bundles import compare as comparing
from nightshift.bundles import importing
from nightshift.cli import app
from nightshift.embedded.run import Request
from nightshift.exits import Exit
from nightshift.report import Report
from nightshift.words.documents import Job, Photo, PhotoCounts, Summary
from nightshift.words.model_card import ModelCard
from shared.bundles.manifest import TENSORS
from shared.db.migrate import upgrade
from tests.support.bundles_made import make_bare_bundle, make_bundle
from tests.support.queue_rows import face


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "weights"
    monkeypatch.setenv("NIGHTSHIFT_WEIGHTS_DIR", str(folder))
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", "a")
    monkeypatch.chdir(tmp_path)
    return folder


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def test_the_list(weights: Path) -> None:
    metrics = {"validation": {"gender": 0.9, "age8": 0.5, "near": 0.85, "mae": 6.5}}
    make_bundle(weights / "a", metrics=metrics, licence="for\n\x1b[31mnobody")
    use = {"allowed": "no", "reason": "trained on UTKFace"}
    make_bundle(weights / "b", name="other", commercial_use=use)
    make_bundle(weights / "c", format="none")
    listed = invoke("list")
    assert listed.exit_code == 0
    assert [line.rstrip() for line in listed.stdout.splitlines()] == [
        "a  in use; sha256 26cc73f9fbf6; 96 px; knows ages in years; 0.0 MB",
        "   validated: gender 90.0%, age group 50.0%, or the next one 85.0%, mean age error 6.5 years",
        "   for ?[31mnobody",
        "   commercial use: unknown (their manifest does not say)",
        "b  named other in its manifest, and so in results",
        "   sha256 26cc73f9fbf6; 96 px; knows ages in years; 0.0 MB",
        "   not validated, as far as its manifest says",
        "   none",
        "   commercial use: no (trained on UTKFace)",
        "c  format: must be 'nightshift-bundle/1' (bundle_format)",
    ]


def test_the_list_as_json(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bundle(weights / "a")
    elsewhere = make_bundle(tmp_path / "elsewhere")
    monkeypatch.setenv("NIGHTSHIFT_BUNDLE", "elsewhere")
    lines = [json.loads(line) for line in invoke("list", "--json").stdout.splitlines()]
    assert [(line["name"], line["in_use"], line["path"]) for line in lines] == [
        ("a", False, str(weights / "a")),
        ("elsewhere", True, str(elsewhere)),
    ]
    assert len(lines[0]["sha256"]) == 64
    assert lines[0]["commercial_use"] == {"allowed": "unknown", "reason": "their manifest does not say"}


def test_a_card(weights: Path) -> None:
    metrics = {"validation": {"gender": 0.9, "chips": 1201, "by": {"age_group": {"0-4": {"gender": 0.5}}}}}
    make_bundle(
        weights / "a", metrics=metrics, training={"data": "\x1b[31mchips"}, notices={"LICENSE": "one\ntwo"}
    )
    make_bare_bundle(weights / "bare")
    shown = invoke("show")
    assert shown.exit_code == 0, shown.stderr
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "Bundle a (in use)" in lines
    assert "validation 1,201 90.0%" in lines and "age_group 0-4 50.0%" in lines
    assert "data: \\x1b[31mchips" in lines
    assert lines[-4:] == ["Notices", "LICENSE", "one", "two"]
    assert "Not said how its probabilities were set" in lines
    bare = invoke("show", "bare")
    assert "how good it is; " in bare.stdout and "How good it is, by its manifest" not in bare.stdout


def test_a_card_as_json_is_the_servers_with_the_path(weights: Path) -> None:
    make_bundle(weights / "a")
    card = json.loads(invoke("show", "a", "--json").stdout)
    assert (card.pop("path"), card["name"], card["in_use"]) == (str(weights / "a"), "a", True)
    assert set(ModelCard.model_fields) == set(card)


def test_of_a_broken_one_the_card_says_why(weights: Path) -> None:
    make_bundle(weights / "c", format="none")
    shown = invoke("show", "c")
    assert (shown.exit_code, "(bundle_format)" in shown.stdout) == (0, True)
    assert invoke("show", "nothing").exit_code == 2


def test_no_weights_are_said_to_be_none(weights: Path) -> None:
    for there in ("is not there", "holds no bundles"):
        nothing = invoke("list")
        assert (nothing.exit_code, nothing.stdout) == (0, "")
        assert f"{weights} {there}" in nothing.stderr
        assert "NIGHTSHIFT_BUNDLE is 'a'" in nothing.stderr
        weights.mkdir(exist_ok=True)


def test_an_import_prints_its_name(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "check_folder", lambda _: None)
    make_bundle(tmp_path / "mine")
    first = invoke("import", "mine", "--name", "yours")
    assert (first.exit_code, first.stdout) == (0, "yours\n")
    assert "NIGHTSHIFT_BUNDLE=yours" in first.stderr
    assert "the name in its manifest, mine" in first.stderr
    again = invoke("import", "mine", "--name", "yours")
    assert (again.exit_code, again.stdout) == (0, "yours\n")
    assert "there already" in again.stderr
    make_bundle(tmp_path / "mine", tensors=b"others")
    taken = invoke("import", "mine", "--name", "yours")
    assert (taken.exit_code, taken.stdout) == (2, "")
    assert "(bundle_exists)" in taken.stderr


def test_what_is_not_there_cannot_be_checked(weights: Path) -> None:
    nothing = invoke("check")
    assert nothing.exit_code == 2
    assert "(bundle_not_found)" in nothing.stderr
    (make_bundle(weights / "a") / TENSORS).write_bytes(b"others")
    assert "(bundle_sha256)" in invoke("check").stderr


class FakeRun:
    """Finds a face in `a.jpg`, female under the bundle `a`; fails on `cut.jpg`."""

    def __init__(self, request: Request, _: object) -> None:
        self._request = request

    def execute(self) -> Report | Exit:
        bundle = Path(str(self._request.settings["bundle"]))
        if (bundle / "interrupted").exists():
            return Exit.INTERRUPTED
        assert self._request.out is not None
        gender = "female" if bundle.name == "a" else "male"
        photos = [
            Photo(custom_id="a.jpg", photo_id="pho_1", status="succeeded", faces=(face(gender=gender),)),
            Photo(custom_id="cut.jpg", photo_id="pho_2", status="failed"),
        ]
        self._request.out.mkdir(parents=True)
        results = self._request.out / "results.jsonl"
        results.write_text("".join(f"{photo.model_dump_json()}\n" for photo in photos))
        counts = PhotoCounts(total=2, succeeded=1, failed=1)
        return Report(
            job=Job(id="job_1", state="ended", counts=counts, created_at=datetime.now(UTC)),
            summary=Summary(photos=counts, faces=1, gender={}, age_group={}),
            failed={},
            files={"jsonl": results},
            exit=Exit.PARTIAL,
        )


@pytest.fixture
def two(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(comparing, "Run", FakeRun)
    make_bundle(weights / "a")
    make_bundle(weights / "b", tensors=b"others")
    return weights


def test_two_bundles_are_compared(two: Path, tmp_path: Path) -> None:
    compared = invoke("compare", "a", str(two / "b"), "photos", "--out", "out")
    assert compared.exit_code == Exit.PARTIAL, compared.stderr
    assert "1 compared, 1 failed with both" in compared.stdout
    assert "Same gender*     0 of 1 (0.0%)" in compared.stdout
    assert "apparent" in compared.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b", "differences.csv"]
    assert len((tmp_path / "out" / "differences.csv").read_text().splitlines()) == 2


def test_a_comparison_as_json(two: Path, tmp_path: Path) -> None:
    told: dict[str, Any] = json.loads(invoke("compare", "a", "b", "photos", "--json").stdout)
    assert (told["a"]["label"], told["b"]["bundle"]["name"], told["exit_code"]) == ("a", "b", 3)
    assert told["failed"] == {"a": 1, "b": 1, "both": 1}
    assert (told["faces"], told["gender_agrees"], told["differences"]) == (1, 0, 1)
    assert told["file"] == str(tmp_path / "nightshift-results" / "a-and-b" / "differences.csv")


def test_bundles_of_one_name_have_folders_of_their_own(two: Path, tmp_path: Path) -> None:
    shutil.copytree(two / "b", tmp_path / "elsewhere" / "a")
    done = invoke("compare", "a", "elsewhere/a", "photos", "--out", "out")
    assert done.exit_code == Exit.PARTIAL, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-a", "a-b", "differences.csv"]


def test_weights_are_looked_at_before_anything_is_started(two: Path, tmp_path: Path) -> None:
    (two / "b" / TENSORS).write_bytes(b"damaged")
    refused = invoke("compare", "a", "b", "photos", "--out", "out")
    assert (refused.exit_code, "(bundle_sha256)" in refused.stderr) == (6, True)
    assert not (tmp_path / "out").exists()


def test_weights_that_a_business_may_not_use_are_refused_where_that_is_asked_for(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_REQUIRE_COMMERCIAL_USE", "true")
    make_bundle(two / "a", commercial_use={"allowed": "yes", "reason": "ours"})
    refused = invoke("compare", "a", "b", "photos", "--out", "out")
    assert (refused.exit_code, "(commercial_use_not_allowed)" in refused.stderr) == (6, True)
    assert not (tmp_path / "out").exists()


def test_an_interrupted_comparison_says_so_by_its_code(two: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    upgrade(f"sqlite:///{tmp_path / 'home' / 'nightshift.db'}")
    (two / "b" / "interrupted").touch()
    assert invoke("compare", "a", "b", "photos").exit_code == 130
