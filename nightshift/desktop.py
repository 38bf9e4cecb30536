"""A notification on the desktop, by what the desktop brings: a courtesy, which is never an error."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from nightshift.words.documents import Job
from nightshift.words.plain_text import counted, plain

PATIENCE_S = 3.0
"""A desktop that hangs keeps nobody."""
_SESSIONS = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")


def tell_desktop(job: Job, environment: Mapping[str, str] = os.environ) -> None:
    """Say that a job has ended; where there is no desktop, or it does not answer, nothing happens.

    Args:
        job: that has ended.
        environment: tells whether there is a desktop.
    """
    failed = f", {job.counts.failed:,} failed" if job.counts.failed else ""
    title = f"Nightshift: {plain(job.label or job.id)} is {job.outcome or job.state}"
    text = f"{counted(job.counts.total, 'photo')}{failed}; {counted(job.faces, 'face')}"
    if command := _command(title, text, environment):
        quiet = subprocess.DEVNULL
        try:
            subprocess.run(  # noqa: S603 - one of two programs of the system, its words as arguments
                command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=PATIENCE_S, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return


def _command(title: str, text: str, environment: Mapping[str, str]) -> list[str] | None:
    path = environment.get("PATH")
    if sys.platform == "darwin" and (program := shutil.which("osascript", path=path)):
        # AppleScript's texts are quoted as JSON's are, but for what is not ASCII.
        said, named = (json.dumps(each, ensure_ascii=False) for each in (text, title))
        return [program, "-e", f"display notification {said} with title {named}"]
    if not any(environment.get(name) for name in _SESSIONS):
        return None
    program = shutil.which("notify-send", path=path)
    # The text is markup to many desktops, the title to none.
    return [program, "--app-name=Nightshift", "--", title, html.escape(text)] if program else None
