"""The key that the first start makes: one, whole, and nobody else's."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from nightshift.machine.root_key import FILE, LEAST_CHARACTERS, found_root_key, made_root_key
from nightshift.words.errors import InvalidInput
from shared.settings import load_settings


def test_the_first_start_makes_one_for_this_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    assert found_root_key(home) == ""
    key = made_root_key(home)
    assert len(key) > LEAST_CHARACTERS
    assert [path.name for path in home.iterdir()] == [FILE]
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert made_root_key(home) == found_root_key(home) == key


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ProcessPoolExecutor(8) as processes:
        for number in range(10):
            assert len(set(processes.map(made_root_key, [tmp_path / str(number)] * 8))) == 1


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    key = made_root_key(tmp_path)
    assert made_root_key(tmp_path) == found_root_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_key_of_ones_own_is_kept_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("k" * LEAST_CHARACTERS)
    path.chmod(0o644)
    assert made_root_key(tmp_path) == "k" * LEAST_CHARACTERS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"short\n", b"\xff" * 10, b"k" * 20 + b" " + b"k" * 20])
def test_what_is_no_key_is_named(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightshift.machine.root_key._WRITTEN_WITHIN_S", 0.1)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InvalidInput, match=str(tmp_path / FILE)) as refused:
        made_root_key(tmp_path)
    assert refused.value.code == "bad_setting"
    assert found_root_key(tmp_path) == ""


def test_a_link_to_another_file_leaves_that_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "shared.txt"
    other.write_text("no key")
    other.chmod(0o644)
    (tmp_path / FILE).symlink_to(other)
    with pytest.raises(InvalidInput, match="at least"):
        made_root_key(tmp_path)
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_link_of_somebody_elses_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("k" * LEAST_CHARACTERS)
    (tmp_path / FILE).symlink_to(tmp_path / "known.txt")
    os.lchown(tmp_path / FILE, 4711, 4711)
    with pytest.raises(InvalidInput, match="no file of this user's"):
        made_root_key(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give folders away")
def test_a_home_of_somebody_else_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(tmp_path, 4711, 4711)
    monkeypatch.setattr(os, "geteuid", lambda: 4712)
    with pytest.raises(InvalidInput, match="belongs to somebody else") as refused:
        made_root_key(tmp_path)
    assert refused.value.code == "bad_home"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mode", "who"), [(0o777, "everybody could"), (0o770, "everybody in group")])
def test_a_home_that_others_may_write_to_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, who: str
) -> None:
    tmp_path.chmod(mode)
    made_root_key(tmp_path)
    assert who in caplog.text
    caplog.clear()
    tmp_path.chmod(0o750)
    made_root_key(tmp_path)
    assert "replace" not in caplog.text


def test_a_folder_or_a_pipe_in_its_place(tmp_path: Path) -> None:
    for number, make in enumerate((os.mkdir, os.mkfifo)):
        home = tmp_path / str(number)
        home.mkdir()
        make(home / FILE)
        with pytest.raises(InvalidInput):
            made_root_key(home)
        assert found_root_key(home) == ""


def test_a_home_that_cannot_keep_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_API_KEY") as refused:
        made_root_key(tmp_path / "file" / "home")
    assert refused.value.code == "api_key_required"


@pytest.mark.parametrize("key", ["secret", "k" * (LEAST_CHARACTERS - 1), "k" * 40 + "\n", "k " * 20])
def test_a_key_that_is_set_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("NIGHTSHIFT_API_KEY", key)
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_API_KEY") as refused:
        load_settings()
    assert refused.value.code == "bad_setting"
    assert key.strip() not in refused.value.message
