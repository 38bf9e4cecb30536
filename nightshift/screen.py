"""What the command shows: the one way to the terminal for all that a server, a file or an error says."""

from __future__ import annotations

import codecs
import io
import json
import re
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO, cast

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from nightshift.words.plain_text import plain, plain_lines

_RAW_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What JSON need not escape, and a terminal or a reader of lines may take for more than text."""


_FILLED = re.compile(" +$", re.MULTILINE)


class Screen(Console):
    """A console on which its own styles alone steer the terminal: no markup, no emoji codes, no escapes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments, their text plain."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(plain_lines(segment.text), segment.style)

    def print(self, *objects: Any, **options: Any) -> None:
        """As `Console.print`; in a file or a pipe, the blanks that fill up the last column are left out."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write(_FILLED.sub("", captured.get()))
        self.file.flush()


def errors_screen() -> Screen:
    """Standard error: progress and remarks."""
    return Screen(stderr=True)


def tables_screen() -> Screen:
    """Standard output: as wide as the terminal, and unfolded into a file or a pipe."""
    return Screen(width=None if sys.stdout.isatty() else 1000)


def cell(text: object, style: str = "") -> Text:
    """A stranger's text in a table or beside a bar: one line."""
    return Text(plain(text), style=style)


def bare_table(*headings: str) -> Table:
    """A table without lines; what is too wide for its column is folded."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def say(message: object) -> None:
    """One remark to the user, on standard error; its further lines are indented: none looks like ours."""
    first, *more = plain_lines(message).split("\n")
    # Not by way of typer, which would go past a bar that is shown there, and write into its line.
    sys.stderr.write("\n    ".join([f"nightshift: {first}", *more]) + "\n")
    sys.stderr.flush()


def tell(line: object) -> None:
    """One line of data to standard output."""
    typer.echo(plain(line))


def tell_json(document: Any, *, indent: int | None = None) -> None:
    """A document to standard output, as JSON that no terminal takes for orders and every encoding has."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(document, ensure_ascii=True, indent=indent)
    typer.echo(_RAW_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def results_sink() -> BinaryIO:
    """Standard output for results as they are; on a terminal, with what would steer it escaped."""
    out = sys.stdout.buffer
    return cast(BinaryIO, PlainSink(out)) if sys.stdout.isatty() else out


class PlainSink(io.RawIOBase):
    """Takes UTF-8 text in pieces and passes it on plain, line by line."""

    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any, /) -> int:
        """See io.RawIOBase."""
        text = self._decoder.decode(bytes(data)).replace("\r\n", "\n")
        self._out.write(plain_lines(text).encode("utf-8", "backslashreplace"))
        return len(data)
