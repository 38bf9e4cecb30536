"""`run --notify` tells people, and the desktop of whoever sits at a terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.command import Nightshift, write_portraits
from tests.support.receivers import answering, make_certificate, receiving

pytest.importorskip("apprise")


@pytest.fixture
def nightshift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nightshift:
    write_portraits(tmp_path / "party", 1)
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(tmp_path)))
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/desktop\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    return Nightshift(tmp_path, {"WEBHOOK_ALLOW_CIDRS": "127.0.0.0/8,::1/128"})


def _run(nightshift: Nightshift, url: str, *more: str) -> tuple[int | None, str]:
    """At a terminal; the exit code and what was said on standard error."""
    ours, terminal = os.openpty()
    try:
        run = nightshift.start("run", "party", "--notify", url, *more, stdout=terminal)
        _, said = run.communicate(timeout=240)
    finally:
        os.close(terminal)
        os.close(ours)
    return run.returncode, said


def test_a_run_tells_people_and_the_desktop(nightshift: Nightshift) -> None:
    certificate = nightshift.folder / "receiver.pem"
    with receiving(certificate, answering(200, b"{}")) as receiver:
        url = f"ntfys://{receiver.url.split('/')[2]}/s3cret-topic"
        code, said = _run(nightshift, url)
    assert code == 0, said
    (got,) = receiver.got
    assert json.loads(got.body)["title"] == "Nightshift: party is done"
    assert "s3cret" not in said
    assert "Nightshift: party is succeeded 1 photo; 1 face" in (nightshift.folder / "desktop").read_text()
    logs = [path.read_text() for path in (nightshift.home / "logs").rglob("*") if path.is_file()]
    assert not [log for log in logs if "s3cret" in log]


def test_a_run_whose_people_cannot_be_reached_says_so_and_succeeds(nightshift: Nightshift) -> None:
    code, said = _run(nightshift, "ntfys://localhost:9/s3cret-topic", "--no-desktop")
    assert code == 0, said
    assert "word to ntfys://*** is not sent yet" in said
    assert "s3cret" not in said
    assert not (nightshift.folder / "desktop").exists()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("tgram://s3cret/1", "notify_url_malformed"),
        ("json://s3cret.example.org/", "notify_scheme_unknown"),
        ("ntfys://ann:s3cret@10.0.0.1/topic", "webhook_address_forbidden"),
    ],
)
def test_urls_that_cannot_be_are_refused_before_anything_starts(
    url: str, code: str, nightshift: Nightshift
) -> None:
    exit_code, said = _run(nightshift, url)
    assert exit_code == 2
    assert code in said
    assert "s3cret" not in said
    assert not (nightshift.home / "nightshift.db").exists()


def test_a_webhook_that_nothing_could_sign_is_refused_before_anything_starts(nightshift: Nightshift) -> None:
    exit_code, said = _run(nightshift, "https://example.org/bell")
    assert (exit_code, "webhook_secret_missing" in said, "nightshift webhooks secret" in said) == (
        2,
        True,
        True,
    )
    assert not list((nightshift.home / "logs").rglob("*worker*"))
