"""What the client iterates, and data frames of it where pandas is installed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Generic, TypeVar, cast

from nightshift.transports import at_once
from nightshift.words.columns import Column, columns
from nightshift.words.error_codes import Code
from nightshift.words.errors import NightshiftError
from nightshift.words.tables import FaceRow, PhotoRow

T = TypeVar("T")
Item = TypeVar("Item")
Row = TypeVar("Row", bound=PhotoRow | FaceRow)

_ALL_THERE = {"text": "string", "integer": "int64", "number": "float64", "truth": "bool"}
_SOME_EMPTY = {"text": "string", "integer": "Int64", "number": "float64", "truth": "boolean"}
"""Types of pandas for a kind of column; where cells may be empty, those that have a place for it."""


class AsyncRows(AsyncIterator[Item], Generic[Item, Row]):
    """Items of a server, to be iterated with `async for`, or made a data frame of; once.

    Args:
        items: as they come.
        row: the class of their rows in a table.
        flat: makes rows of the items; None where they are rows.
    """

    def __init__(
        self,
        items: AsyncIterator[Item],
        row: type[Row],
        flat: Callable[[AsyncIterator[Item]], AsyncIterator[Row]] | None = None,
    ) -> None:
        self._items = items
        self._row = row
        self._flat = flat

    async def __anext__(self) -> Item:
        return await self._items.__anext__()

    async def aclose(self) -> None:
        """Close the connection they come by."""
        await self._items.aclose()  # type: ignore[attr-defined]

    async def to_pandas(self) -> Any:
        """A `pandas.DataFrame` of what has not been iterated; a column for each of the table's.

        Raises:
            NightshiftError: `tables_missing`, pandas is not installed.
        """
        pandas = imported("pandas")
        rows = self._flat(self._items) if self._flat else cast("AsyncIterator[Row]", self._items)
        return _frame(pandas, columns(self._row), [row async for row in rows])


class Rows(Iterator[Item]):
    """The same, to be iterated with `for`."""

    def __init__(self, rows: AsyncRows[Item, Any]) -> None:
        self._rows = rows
        self._items = in_turn(rows)

    def __next__(self) -> Item:
        return next(self._items)

    def to_pandas(self) -> Any:
        """As that of `AsyncRows`."""
        return at_once(self._rows.to_pandas())


def in_turn(items: AsyncIterator[T]) -> Iterator[T]:
    """What never waits, as an ordinary iterator; who stops early closes it."""
    try:
        while True:
            try:
                item = at_once(cast("Coroutine[Any, Any, T]", items.__anext__()))
            except StopAsyncIteration:
                return
            yield item
    finally:
        at_once(items.aclose())  # type: ignore[attr-defined]


def imported(name: str) -> Any:
    """A package that not everybody has.

    Raises:
        NightshiftError: `tables_missing`.
    """
    try:
        return __import__(name, fromlist=["*"])
    except ImportError as error:
        package = name.partition(".")[0]
        # Into this environment, whichever pip is found first.
        wanted = package if package == "pandas" else '"nightshift-photos[tables]"'
        install = f"{shlex.quote(sys.executable)} -m pip install {wanted}"
        message = f"this needs the package {package}: `{install}` ({error})"
        raise NightshiftError(Code.TABLES_MISSING, message) from error


def _frame(pandas: Any, told: Sequence[Column], rows: Sequence[PhotoRow | FaceRow]) -> Any:
    return pandas.DataFrame(
        {
            column.name: pandas.Series(
                [getattr(row, column.name) for row in rows],
                dtype=(_SOME_EMPTY if column.optional else _ALL_THERE)[column.kind],
            )
            for column in told
        }
    )
