"""One attempt at a message to people: in a process of its own, which may speak to allowed addresses alone.

Apprise speaks HTTP, SMTP and more by itself. Its addresses are not looked up before, as a webhook's are, but
held against the rule where the process connects; and what takes too long is killed with the process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from urllib.parse import unquote

from shared.queue.dispatch import Answered, Parcel
from shared.settings import REPOSITORY

ATTEMPT_S = 30.0
"""For all of it, the start of the process included."""
SHORTEST_SECRET = 4
SHOWN_CHARACTERS = 500
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_DIR")


def send_message(parcel: Parcel, allowed: str) -> Answered:
    """Send it, and say what became of it; nothing is raised for what a receiver does.

    Args:
        parcel: what is sent; its body is JSON, `title` and `text`.
        allowed: CIDRs of networks that may be spoken to though they are not global.
    """
    told = json.dumps({"url": parcel.url, "allowed": allowed, **json.loads(parcel.body)})
    try:
        # By its standard input: arguments and variables are there for others of this machine to read.
        done = subprocess.run(
            [sys.executable, "-m", "worker.message_process"],
            input=told.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env=_environment(),
            timeout=ATTEMPT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return Answered(problem=f"it was not taken within {ATTEMPT_S:.0f} s")
    except OSError as error:
        return Answered(problem=f"not sent: {error.strerror}")
    try:
        problem = json.loads(done.stdout)["problem"]
    except (ValueError, KeyError, TypeError):
        return Answered(problem=f"not sent: its process ended with {done.returncode}")
    return Answered(problem=without_secrets(problem, parcel.url) if problem else None)


def without_secrets(text: str, url: str) -> str:
    """What was said of an attempt, shortened, without any part of the URL but its scheme."""
    rest = url.partition("://")[2]
    parts = set(re.split(r"[/:@?&=#,]+", rest)) | set(re.split(r"[\W_]+", unquote(rest)))
    parts |= {unquote(part) for part in parts}
    for part in sorted((part for part in parts if len(part) >= SHORTEST_SECRET), key=len, reverse=True):
        text = re.sub(re.escape(part), "***", text, flags=re.IGNORECASE)
    return text.replace("\x00", "\ufffd")[:SHOWN_CHARACTERS]


def _environment() -> dict[str, str]:
    """No proxy, no key of ours, no home with passwords in it."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    if bundle := os.environ.get("SSL_CERT_FILE"):
        passed |= {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle}
    # One arena: each that a thread has of its own counts as memory before anything is in it.
    return passed | {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
