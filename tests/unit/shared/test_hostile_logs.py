"""Log lines into which clients, libraries and errors write what they like."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import HIDDEN, redacted

EVIL = "/v1\n2026-11-24T00:00:00Z INFO nightshift.access forged\r\x1b[2J\x1b]0;x\x07\x9b1m\u202e\u2028\udcff"
PROGRAM = """
import json, logging, sys
from shared.logs import configure, hide
form, evil = sys.argv[1], json.loads(sys.argv[2])
configure("DEBUG", form)
hide("an-old-secret")
log = logging.getLogger("gunicorn.error")
log.warning("%s %s", "GET", evil, extra={"header": evil, evil: evil, "nested": {"a": [evil], "b": (evil,)}})
try:
    try:
        raise ValueError(evil)
    except ValueError as error:
        error.add_note(evil.replace("\\n", " "))
        raise OSError(evil) from error
except OSError:
    log.exception(evil)
log.error("Invalid request: Invalid HTTP Header: 'Authorization Bearer nsk_abcdefgh12345678'")
log.error("key %s and %s", "an-old-secret", "the-root-key-of-this-house", extra={"url": "redis://:pass-word@h:1/0"})
try:
    raise RuntimeError("no route to postgresql://u:pass-word@h/db with the-root-key-of-this-house")
except RuntimeError:
    logging.getLogger("celery.worker").critical("lost", exc_info=True, extra={"broker": ["redis://:pass-word@h"]})
"""


def said(form: str, evil: str = EVIL) -> str:
    environment = {
        **os.environ,
        "NIGHTSHIFT_API_KEY": "the-root-key-of-this-house",
        "NIGHTSHIFT_BROKER_URL": "redis://:pass%2Dword@h:1/0",
    }
    arguments = [sys.executable, "-c", PROGRAM, form, json.dumps(evil)]
    ran = subprocess.run(arguments, capture_output=True, check=True, env=environment)
    return ran.stderr.decode()


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_very_long_is_shortened(form: str) -> None:
    text = said(form, 100_000 * "x")
    assert len(text) < 60_000
    assert "Traceback (most recent call last)" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_is_forged_and_no_terminal_steered(form: str) -> None:
    text = said(form)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ud800-\udfff]", text)
    lines = text.splitlines()
    assert not any(line.startswith("2026-11-24T00:00:00Z") for line in lines)
    assert sum("forged" in line for line in lines) >= 2


def test_json_stays_json_and_says_all() -> None:
    first, second, *_ = map(json.loads, said("json").splitlines())
    shown = EVIL.replace("\udcff", "\\udcff")
    assert first["event"] == f"GET {shown}"
    assert (first["header"], first["nested"]) == (shown, {"a": [shown], "b": [shown]})
    assert first[shown] == shown
    assert "Traceback" in second["exception"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_key_and_no_password_is_in_a_line(form: str) -> None:
    text = said(form)
    for secret in ("nsk_abcd", "an-old-secret", "the-root-key", "pass-word", "pass%2Dword"):
        assert secret not in text
    assert text.count(HIDDEN) >= 6


@pytest.mark.parametrize(
    "text",
    [
        "Invalid HTTP Header: 'Authorization Bearer S3CRET-S3CRET'",
        "Invalid HTTP header name: 'AuthorizationBearer S3CRET-S3CRET'",
        "authorization: Basic S3CRET-S3CRET",
        "Proxy-Authorization  S3CRET-S3CRET",
        "'Authorizatio n: bearer S3CRET-S3CRET'",
        "Bearer%20S3CRET-S3CRET",
        "BearerS3CRET-S3CRET",
        "key nsk_S3CRET-S3CRET is unknown",
        "redis://:S3CRET-S3CRET@valkey:6379/0",
        "postgresql+psycopg://nightshift:S3CRET-S3CRET@postgres/nightshift",
        "postgresql://u:S3CRET-S3CRET@more@host/db",
        '{"password": "S3CRET-S3CRET"}',
        "dbname=x password=S3CRET-S3CRET host=y",
        "X-Api-Key: S3CRET-S3CRET",
        "AWS_SECRET_ACCESS_KEY=S3CRET-S3CRET",
        "?token=S3CRET-S3CRET&a=1",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert "S3CRET" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "claimed job=job_1 photos=8",
        "http://127.0.0.1:8080/v1/jobs",
        "redis+socket:///home/anna/.nightshift/run/valkey.sock",
        "key_01a218558997258a405fea42227bf138 nights_of_photos photos_per_second=2.5",
        "IMG_2026@home.jpg",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text(max_size=60))
def test_nothing_breaks_it(text: str) -> None:
    assert redacted(redacted(text)) == redacted(text)
