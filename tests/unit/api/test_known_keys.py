"""Which keys there are, as several requests ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from api import known_keys
from api.known_keys import FRESH_S, KnownKeys
from nightshift.words.clock import utc_now
from nightshift.words.scopes import Scope
from shared.db.engine import Database
from shared.db.migrate import upgrade
from shared.operations.keys import make_key, valid_digests


def test_a_key_is_known_at_once_while_another_request_reads_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    upgrade(url)
    database = Database(url)
    keys = KnownKeys("root-key", database)
    assert keys.find(b"nsk_guess") is None
    begun, over = threading.Event(), threading.Event()

    def read_and_stay(session: Session) -> frozenset[str]:
        found = valid_digests(session)
        begun.set()
        assert over.wait(60)
        return found

    monkeypatch.setattr(known_keys, "valid_digests", read_and_stay)
    keys._read_at_s = -FRESH_S
    with ThreadPoolExecutor(2) as pool:
        guess = pool.submit(keys.find, b"nsk_guess")
        assert begun.wait(60)
        with database.write() as session:
            _, secret = make_key(session, name="n", owner="local", scopes=[Scope.READ], now=utc_now())
        keys.forget()
        asked = pool.submit(keys.find, secret.encode())
        wait([asked], timeout=0.5)
        over.set()
        assert guess.result(60) is None
        assert asked.result(60) is not None
    database.close()
