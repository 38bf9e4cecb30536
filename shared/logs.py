"""Logs of every process: an event and its fields, as text for people or as JSON, one object a line.

Loggers are Python's own; what an event is about goes into `extra`: `log.info("claimed", extra={"job": ...})`.
Whoever logs, ours or a library, and whatever a client wrote: in text a line stays a line and steers no
terminal, and no key or password that is known, or looks like one, is in it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import unquote

import structlog

from nightshift.words.plain_text import plain, plain_lines, shortened

Format = Literal["text", "json"]
HIDDEN = "***"
LEAST_SECRET = 8
"""Characters of a secret that is looked for as it is: a shorter one would be found in every other word."""

_ALREADY_SAID = ("event", "level", "logger", "timestamp", "exception")
_SECRET_SETTINGS = re.compile(r"(?:NIGHTSHIFT|AWS|S3|POSTGRES|VALKEY|PG)_?\w*(?:KEY|PASSWORD|SECRET|TOKEN)")
_IN_URL = re.compile(r"(://[^\s/:@'\"]*:)([^\s/'\"]+)(@)")
_LOOKS_SECRET = (
    # A server below logs a header that it cannot read, which may be this one without its colon.
    (re.compile(r"(authorization).*", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(bearer)(?:[\s:=+]|%20)*\S+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(basic)\s+[A-Za-z0-9+/=_-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(nsk?_)[A-Za-z0-9_-]{8,}"), rf"\1{HIDDEN}"),
    (_IN_URL, rf"\1{HIDDEN}\3"),
    (
        re.compile(
            r"((?:password|passwd|secret(?:_access)?(?:_key)?|api[-_]?key|token)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)
_known: set[str] = set()


def hide(*secrets: str) -> None:
    """Have these appear in no line from now on."""
    _known.update(secret for secret in secrets if len(secret) >= LEAST_SECRET)


def redacted(text: str) -> str:
    """The text without what is known to be a secret, or looks like one."""
    for secret in _known:
        text = text.replace(secret, HIDDEN)
    for looks, instead in _LOOKS_SECRET:
        text = looks.sub(instead, text)
    return text


def configure(level: str, form: Format, file: Path | None = None) -> None:
    """Send every logger of this process to standard error, or to a file.

    Args:
        level: least severe level, such as `INFO`.
        form: `text` or `json`.
        file: appended to.
    """
    _hide_settings(os.environ)
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    logging.basicConfig(level=level, handlers=[handler])
    # It tells of each of its parts whenever it is imported.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def _hide_settings(environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if _SECRET_SETTINGS.fullmatch(name):
            hide(value)
        for password in (found[2] for found in _IN_URL.finditer(value)):
            hide(password, unquote(password))


def _formatter(form: Format) -> logging.Formatter:
    last: Any = structlog.processors.JSONRenderer(default=str) if form == "json" else _as_text
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_told),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact, last],
    )


def _redact(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    shown = {_text(name): _without_secrets(value) for name, value in event.items()}
    # A traceback has as many lines as it has frames; what the error itself said in it is short already.
    told = {name: shown.pop(name) for name in ("exception",) if name in shown}
    return {**shortened(shown), **told}


def _without_secrets(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case dict():
            return {_text(name): _without_secrets(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_without_secrets(inner) for inner in value]
        case _:
            return _text(value)


def _text(value: object) -> str:
    # Half a surrogate pair, out of a file's name, fits into no file.
    return redacted(str(value)).encode("utf-8", "backslashreplace").decode()


def _told(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """A traceback, in which an error's own words are one line each."""
    told = traceback.TracebackException(*exc_info).format()
    return "\n".join(
        # What Python puts into lines itself, frames above all, is indented; the rest is what somebody said.
        part.rstrip("\n") if part[:1].isspace() else plain(shortened(redacted(part.rstrip("\n"))))
        for part in told
    )


def _as_text(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
    """`2026-11-24T22:00:00Z INFO worker.slice claimed job=... photos=8`."""
    fields = "".join(f" {name}={value}" for name, value in event.items() if name not in _ALREADY_SAID)
    line = plain(f"{event['timestamp']} {event['level'].upper()} {event['logger']} {event['event']}{fields}")
    return f"{line}\n{plain_lines(event['exception'])}" if "exception" in event else line
