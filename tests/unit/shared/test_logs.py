from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
from shared.logs import configure
configure("INFO", sys.argv[1])
log = logging.getLogger("worker.slice")
log.debug("not said")
log.info("claimed", extra={"job": "job_1", "photos": 8})
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broke", extra={"photo": "pho_1"})
"""


def said(form: str) -> str:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    return ran.stderr


def test_text_for_people() -> None:
    first, *_ = lines = said("text").splitlines()
    assert first.split(" ", 1)[1] == "INFO worker.slice claimed job=job_1 photos=8"
    assert lines[1].endswith("ERROR worker.slice broke photo=pho_1")
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_json_one_object_a_line() -> None:
    claimed, broke = map(json.loads, said("json").splitlines())
    assert (claimed["event"], claimed["level"], claimed["logger"]) == ("claimed", "info", "worker.slice")
    assert (claimed["job"], claimed["photos"]) == ("job_1", 8)
    assert claimed["timestamp"].endswith("Z")
    assert (broke["photo"], broke["event"]) == ("pho_1", "broke")
    assert "ZeroDivisionError" in broke["exception"]


@pytest.mark.parametrize("form", ["xml", ""])
def test_another_form_is_a_bad_setting(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    from nightshift.words.errors import InvalidInput
    from shared.settings import load_settings

    monkeypatch.setenv("NIGHTSHIFT_LOG_FORMAT", form)
    with pytest.raises(InvalidInput, match="NIGHTSHIFT_LOG_FORMAT"):
        load_settings()
