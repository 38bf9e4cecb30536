"""Exit codes, and the one place where errors become them."""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path
from typing import ParamSpec, Self

import typer
from pydantic import ValidationError

from nightshift.errors import ApiError, Unreachable
from nightshift.screen import say as say
from nightshift.words.error_codes import Code
from nightshift.words.errors import Conflict, InvalidInput, NightshiftError
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.plain_text import plain

P = ParamSpec("P")

SERVICE_IS_HERE = find_spec("nightshift.embedded") is not None
"""False where the client was installed without the service, from its wheel."""


class Exit(IntEnum):
    """What the command tells a script.

    Attributes:
        meaning: for a person.
    """

    meaning: str

    SUCCEEDED = 0, "every photo succeeded (one without a face is a success)"
    INTERNAL = 1, "a fault of Nightshift's own; the last line names the file that has the details"
    USAGE = 2, "wrong usage or input: no photos, no such path, job, weights or setting"
    PARTIAL = 3, "finished, but some photos failed or could not be taken"
    FAILED = 4, "finished, and every photo failed"
    CANCELLED = 5, "the job was cancelled or expired"
    UNAVAILABLE = 6, "the service could not start or be reached, or cannot go on"
    HOME_IN_USE = 7, "another runner uses this home"
    OUTPUT_LOST = 74, "standard output was full, closed or not read on, or no report; other files are kept"
    INTERRUPTED = 130, "interrupted by Ctrl-C; `nightshift run --resume` goes on"
    TERMINATED = 143, "ended by SIGTERM; `nightshift run --resume` goes on"

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """A member, out of what stands beside its name."""
        code = int.__new__(cls, value)
        code._value_, code.meaning = value, meaning
        return code


_OUTCOMES = {
    "succeeded": Exit.SUCCEEDED,
    "partial": Exit.PARTIAL,
    "failed": Exit.FAILED,
    "cancelled": Exit.CANCELLED,
    "expired": Exit.CANCELLED,
}


def exit_for_outcome(outcome: str | None) -> Exit:
    """The exit code of an ended job."""
    return _OUTCOMES.get(outcome or "", Exit.UNAVAILABLE)


_USERS_PATHS = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENXIO),
    }
)
"""What is wrong with a path that was given, rather than with a disk."""


def ending_of(error: BaseException) -> tuple[str, Exit] | None:
    """The sentence and the code of an error that has a cause outside; None for a fault of our own."""
    if isinstance(error, NightshiftError):
        return _sentence(error), exit_for_error(error)
    if isinstance(error, ValidationError):
        said = f"the server's answer is not understood: {error.error_count()} fields of {error.title}"
        return said, Exit.UNAVAILABLE
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", Exit.INTERRUPTED
    if isinstance(error, MemoryError):
        return f"there is not enough memory for this ({Code.OUT_OF_MEMORY})", Exit.UNAVAILABLE
    if isinstance(error, OSError):
        if _is_working_folder_gone():
            return (
                f"the folder this was started in is gone: change to another ({Code.NO_SUCH_PATH})",
                Exit.USAGE,
            )
        where = f"{path_spelled_out(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        code = Exit.USAGE if where and error.errno in _USERS_PATHS else Exit.UNAVAILABLE
        return f"{where}{error.strerror or error} ({Code.OS_ERROR})", code
    return None


def _is_working_folder_gone() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def exit_for_error(error: Exception) -> Exit:
    """The exit code of an error that was raised on purpose."""
    if isinstance(error, Conflict) and error.code == Code.HOME_IN_USE:
        return Exit.HOME_IN_USE
    if isinstance(error, InvalidInput | Conflict):
        return Exit.USAGE
    if isinstance(error, NightshiftError) and error.code in {Code.BUNDLE_NOT_FOUND, Code.TABLES_MISSING}:
        # Whoever waits, as for a service, waits in vain: a name is wrong, or a package not there.
        return Exit.USAGE
    if isinstance(error, ApiError) and 400 <= error.status < 500:
        return Exit.USAGE
    return Exit.UNAVAILABLE


def exit_table() -> str:
    """The table, for `--help`."""
    lines = [f"{code.value:>4}  {code.meaning}" for code in Exit]
    # \b keeps click from filling the lines into a paragraph.
    return "\n".join(["\b", "Exit codes:", *lines])


def one_line(text: str) -> str:
    """A stranger's prose for a terminal: its spaces single, and `?` for what steers it."""
    return plain(" ".join(text.split()), "?")


def reporting_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors raised on purpose into one line and an exit code; others are for the top of the command."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ValidationError, NightshiftError, KeyboardInterrupt) as error:
            ending = ending_of(error)
            assert ending is not None  # noqa: S101 - these have one
            say(ending[0])
            raise typer.Exit(ending[1]) from error

    return run


def _sentence(error: NightshiftError) -> str:
    if isinstance(error, ApiError) and (
        error.status == 401 or error.code in {Code.SCOPE_MISSING, "http_403"}
    ):
        return f"{error}: is the API key right (--api-key, NIGHTSHIFT_API_KEY, or `api_key` in the home)?"
    if isinstance(error, Unreachable):
        whose = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        return f"{error}{whose}: is the server running (nightshift serve) and --server right?"
    return f"{error.message} ({error.code})"


def how_to_install(extra: str) -> str:
    """What to do where a part is not installed. Never by name from an index: that name is not ours there."""
    by_pip = f"pip install -c constraints.txt '.[{extra}]'"
    return f"in a checkout of Nightshift, `make serve` installs it, or {by_pip}"


@contextmanager
def explaining_what_is_not_installed() -> Iterator[None]:
    """Around imports that the base installation lacks."""
    try:
        yield
    except ImportError as error:
        if SERVICE_IS_HERE:
            say(f"this needs the whole service: {how_to_install('all')} ({error})")
        else:
            say("this is the client alone: the service runs from a checkout of Nightshift, or from its image")
        raise typer.Exit(Exit.UNAVAILABLE) from error
