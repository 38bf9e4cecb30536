"""Folders and files as URLs and back."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from nightshift.machine.places import file_url, path_as_text, path_of_file_url, path_of_text
from nightshift.words.errors import InvalidInput
from shared.db.engine import Database
from shared.db.migrate import is_current, upgrade
from shared.files.store import Store
from shared.settings import Settings, embedded_broker_socket, load_settings
from shared.urls import path_of_sqlite_url, sqlite_url

ODD = [
    "a#b",
    "a?b=c",
    "100%",
    "a%20b",
    "a b",
    "a@b:c",
    "é\u0301",
    "a\u2028b",
    "a\nb\tc",
    "a'b\"c",
    "-rf",
    "~x",
    "$HOME",
    "[a]{b}*",
    os.fsdecode(b"\xff\xfe"),
    "x" * 200,
]

names = st.binary(min_size=1, max_size=60).filter(
    lambda raw: not set(raw) & {0, ord("/")} and raw not in (b".", b"..")
)


@given(st.lists(names, min_size=1, max_size=4))
def test_every_path_comes_back(parts: list[bytes]) -> None:
    path = Path(os.fsdecode(b"/" + b"/".join(parts)))
    assert path_of_file_url(file_url(path)) == path
    assert path_of_sqlite_url(sqlite_url(path)) == path
    assert path_of_text(path_as_text(path)) == path
    path_as_text(path).encode("utf-8")


def test_a_path_that_is_text_stays_as_it_is() -> None:
    assert path_as_text(Path("/a#b/é 1.jpg")) == "/a#b/é 1.jpg"


@pytest.mark.parametrize("name", ODD)
def test_a_home_of_any_name_holds_everything(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    settings = Settings(home=home)
    upgrade(settings.database_url)
    database = Database(settings.database_url)
    with database.read() as session:
        assert is_current(session)
    with database.write() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    assert database.folder == home
    database.close()
    store = Store(settings.store_url)
    assert store.folder == home / "store"
    store.put("local/job_1/pho_1", b"bytes")
    assert store.get("local/job_1/pho_1") == b"bytes"
    assert sorted(path.name for path in home.iterdir()) == ["nightshift.db", "store"]
    # Nothing beside it, under half of its name.
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert settings.broker_is_embedded
    assert len(os.fsencode(embedded_broker_socket(home))) <= 100


@pytest.mark.parametrize("url", ["file://", "file://elsewhere/dir", "file:relative", "file:///a%00b"])
def test_a_store_that_is_no_folder_of_this_machine(url: str) -> None:
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_STORE_URL"):
        Store(url)


def test_a_store_url_that_was_typed_as_the_folder_is_called(tmp_path: Path) -> None:
    assert Store(f"file://{tmp_path}/a#b?c d").folder == tmp_path / "a#b?c d"


def test_a_relative_database_keeps_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = load_settings(database_url="sqlite:///x.db?timeout=5").database_url
    assert path_of_sqlite_url(url) == tmp_path / "x.db"
    assert url.endswith("?timeout=5")


@pytest.mark.parametrize(
    "given",
    [
        {"database_url": "postgresql+psycopg://me:p@ss@host/db"},
        {"database_url": "postgresql+psycopg://me:p#ss@host/db"},
        {"broker_url": "redis://:p#ss@host:6379/0"},
        {"broker_url": "redis://:p@ss@host:6379/0"},
        {"broker_url": "redis:///0"},
    ],
)
def test_a_password_that_would_cut_its_url_is_refused_and_not_shown(given: dict[str, str]) -> None:
    (name,) = given
    with pytest.raises(InvalidInput, match="%40") as refused:
        load_settings(**given)
    assert name in str(refused.value)
    assert "ss@" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"database_url": "postgresql+psycopg://me:p%40s%23s@host:5432/db?sslmode=require"},
        {"database_url": "postgresql+psycopg:///db?host=/var/run/postgresql"},
        {"broker_url": "redis://:p%40s%23s@host:6379/0"},
        {"broker_url": "rediss://host"},
    ],
)
def test_other_urls_pass(given: dict[str, str]) -> None:
    (name,) = given
    assert getattr(load_settings(**given), name) == given[name]
