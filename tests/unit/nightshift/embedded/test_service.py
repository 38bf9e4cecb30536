"""Starting the service's parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightshift.embedded.service import _wait_for
from nightshift.embedded.supervisor import Supervisor
from nightshift.words.errors import NightshiftError


def test_a_part_that_is_alive_and_never_ready_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("first\nit hangs in this\n")
    told: list[str] = []
    with pytest.raises(NightshiftError) as failed:
        _wait_for("the API", lambda: "no answer", 0.3, Supervisor(told.append), 0.0, log)
    assert failed.value.code == "service_failed"
    assert failed.value.message.endswith(f"no answer; {log} ends: it hangs in this")
    assert told == ["still waiting for the API: no answer"]
