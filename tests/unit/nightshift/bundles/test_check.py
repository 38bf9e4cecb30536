"""What the check's own process says becomes an answer or an error; the process is a stand-in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nightshift.bundles import check
from nightshift.bundles.check import check_folder
from nightshift.words.errors import NightshiftError
from shared.bundles.manifest import MANIFEST, TENSORS
from tests.support.bundles_made import make_bundle

GOOD = """print("a library's remark"); print('{"tensors": 3, "age_outputs": 8, "crops": 4}')"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "mine")


def process_is(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "check_bundle_command", lambda folder: [sys.executable, "-c", program])


def test_what_was_found_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process_is(GOOD, monkeypatch)
    checked = check_folder(folder)
    assert (checked.manifest.name, checked.tensors, checked.age_outputs, checked.crops) == ("mine", 3, 8, 4)
    assert checked.size_bytes == sum((folder / name).stat().st_size for name in (MANIFEST, TENSORS))


@pytest.mark.parametrize(
    ("program", "code", "says"),
    [
        (
            """print('{"error": {"code": "bundle_tensors", "message": "x\\\\u001b[31m"}}'); exit(2)""",
            "bundle_tensors",
            "x?[31m",
        ),
        ("raise ZeroDivisionError", "check_failed", "ZeroDivisionError"),
        ("import no_such_torch", "check_failed", "pip install -c constraints.txt '.[worker]'"),
        ("import os; os.kill(os.getpid(), 9)", "check_failed", "signal 9"),
        ("print('[')", "check_failed", "it said nothing"),
    ],
    ids=["an error", "a bug", "no torch", "killed", "no answer"],
)
def test_what_is_wrong_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, code: str, says: str
) -> None:
    process_is(program, monkeypatch)
    with pytest.raises(NightshiftError) as caught:
        check_folder(folder)
    assert caught.value.code == code
    assert says in caught.value.message


@pytest.mark.parametrize(("name", "code"), [(MANIFEST, "bundle_not_found"), (TENSORS, "bundle_not_found")])
def test_files_are_looked_for_before_torch_is_loaded(folder: Path, name: str, code: str) -> None:
    (folder / name).unlink()
    with pytest.raises(NightshiftError) as caught:
        check_folder(folder)
    assert caught.value.code == code
