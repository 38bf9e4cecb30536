"""Files for the owner alone: which processes see to it, and what is found that is not so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api import gunicorn_hooks
from nightshift.machine.privacy import UMASK, keep_files_private, open_to_others
from shared.settings import REPOSITORY

COMPOSITION_ROOTS = ("nightshift/cli.py", "worker/main.py", "worker/sweeper.py", "shared/db/migrate.py")


@pytest.fixture(autouse=True)
def as_before() -> object:
    kept = os.umask(0o022)
    yield
    os.umask(kept)


def test_files_and_folders_are_for_the_owner_alone(tmp_path: Path) -> None:
    keep_files_private()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"")
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "folder" / "file").stat().st_mode & 0o777 == 0o600
    assert list(open_to_others([tmp_path / "folder"])) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o710])
def test_what_others_may_do_anything_with_is_found(tmp_path: Path, mode: int) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    file = tmp_path / "folder" / "file"
    file.write_bytes(b"")
    file.chmod(mode)
    assert list(open_to_others([tmp_path / "folder", tmp_path / "not there"])) == [file]


def test_gunicorn_is_told_by_its_own_setting() -> None:
    assert gunicorn_hooks.umask == UMASK


@pytest.mark.parametrize("root", COMPOSITION_ROOTS)
def test_every_process_begins_with_it(root: str) -> None:
    assert "keep_files_private()" in (REPOSITORY / root).read_text(encoding="utf-8")


def test_a_migrated_database_is_its_owners(tmp_path: Path) -> None:
    """The first process of a service that makes a file."""
    environment = {**os.environ, "NIGHTSHIFT_DATABASE_URL": f"sqlite:///{tmp_path}/db/service.db"}
    subprocess.run([sys.executable, "-m", "shared.db.migrate"], check=True, env=environment, cwd=REPOSITORY)
    assert list(open_to_others([tmp_path / "db"])) == []
