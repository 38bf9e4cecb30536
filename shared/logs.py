"""Logs of every process: an event and its fields, as text for people or as JSON, one object a line.

Loggers are Python's own; what an event is about goes into `extra`: `log.info("claimed", extra={"job": ...})`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal

import structlog

Format = Literal["text", "json"]
_ALREADY_SAID = ("event", "level", "logger", "timestamp", "exception")


def configure(level: str, form: Format, file: Path | None = None) -> None:
    """Send every logger of this process to standard error, or to a file.

    Args:
        level: least severe level, such as `INFO`.
        form: `text` or `json`.
        file: appended to.
    """
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    logging.basicConfig(level=level, handlers=[handler])


def _formatter(form: Format) -> logging.Formatter:
    last: Any = structlog.processors.JSONRenderer(default=str) if form == "json" else _as_text
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )


def _as_text(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
    """`2026-11-24T22:00:00Z INFO worker.slice claimed job=... photos=8`."""
    fields = "".join(f" {name}={value}" for name, value in event.items() if name not in _ALREADY_SAID)
    line = f"{event['timestamp']} {event['level'].upper()} {event['logger']} {event['event']}{fields}"
    return f"{line}\n{event['exception']}" if "exception" in event else line
