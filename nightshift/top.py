"""The top of the command: whatever happens below, it ends with one sentence and a code of the table."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from typer import BadParameter
from typer.core import TyperGroup

from nightshift import streams
from nightshift.exits import Exit, ending_of, say
from nightshift.streams import OutputLost
from nightshift.words.error_codes import Code
from nightshift.words.wrong_values import wrong

log = logging.getLogger(__name__)


_OTHERS_WORDS = {
    "status": ("jobs", "job", "list", "ls", "ps", "queue", "show", "watch", "progress"),
    "cancel": ("stop", "abort", "kill"),
    "delete": ("remove", "rm", "erase"),
    "run": ("start", "analyse", "analyze", "process", "detect", "scan"),
    "serve": ("server", "api", "up"),
    "submit": ("upload", "send", "add", "put"),
    "results": ("download", "get", "export", "fetch", "result"),
    "models": ("bundles", "bundle", "weights"),
    "failures": ("errors", "failed"),
    "change": ("edit", "update", "set"),
    "admin doctor": ("doctor", "check", "health"),
}
"""What other programs call our commands; letters alone would lead from `start` to `status`."""

_OURS = {word: ours for ours, words in _OTHERS_WORDS.items() for word in words}


class Command(TyperGroup):
    """The `nightshift` command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was named; where it has another name here, that is said."""
        if args and (ours := _OURS.get(args[0].lower())):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {ours!r}?")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, and end this process; never with a traceback on the screen."""
        streams.prepare()
        threading.excepthook = _log_thread
        try:
            super().main(*args, **kwargs)
            code: object = Exit.SUCCEEDED
        except SystemExit as ended:
            code = ended.code
        except BaseException as error:
            code = _told(error)
        try:
            sys.stdout.flush()
        except OutputLost as error:
            code = _told(error)
        sys.exit(code if code is None or isinstance(code, str) else int(code))  # type: ignore[call-overload]

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked for; what is wrong with a value is said in words of ours."""
        try:
            return super().invoke(ctx)
        except BadParameter as error:
            if isinstance(error.__cause__, ValidationError):
                error.message = "; ".join(wrong(found) for found in error.__cause__.errors())
            raise


def _told(error: BaseException) -> Exit:
    """Say what happened, and give the code for it."""
    if isinstance(error, OutputLost):
        streams.drop_output()
        # Whoever reads no further, as `head` does, has what they wanted.
        if not isinstance(error.__cause__, BrokenPipeError):
            say(f"what was to be printed is lost: {error} ({Code.OUTPUT_LOST})")
        return Exit.OUTPUT_LOST
    if known := ending_of(error):
        sentence, code = known
        say(sentence)
        return code
    where = _logged(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    say(f"this is a fault of Nightshift's own: {' '.join(what.split())}; {where} (internal)")
    return Exit.INTERNAL


def _logged(error: BaseException) -> str:
    """Write the traceback where this command logs, else into a file of its own; say where."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            log.error("ended by a fault of our own", exc_info=error)
            return f"details are in {handler.baseFilename}"
    lines = "".join(traceback.format_exception(error))
    with suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix="nightshift-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(lines)
        return f"details are in {name}"
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f"it broke in {last[0].filename}, line {last[0].lineno}" if last else "no details are left"


def _log_thread(ended: threading.ExceptHookArgs) -> None:
    """A thread that broke is for the log, not for the screen."""
    if ended.exc_value is not None:
        log.error("a thread broke", exc_info=ended.exc_value)
