"""The tables as Parquet and XLSX, for whom the extra `tables` is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from tempfile import gettempdir
from typing import Any, BinaryIO, Literal, get_args

from nightshift.client import Client
from nightshift.rows import imported
from nightshift.words.columns import Cell, Column, columns
from nightshift.words.documents import Photo
from nightshift.words.table_rows import About, cells, face_rows, low_confidence_face_rows, photo_row
from nightshift.words.tables import FORMAT_VERSION, FaceRow, PhotoRow

MadeFormat = Literal["photos.parquet", "faces.parquet", "low-confidence-faces.parquet", "xlsx"]
"""What is made here of the JSON Lines."""

GROUP_ROWS = 10_000
"""Rows that are compressed together, and in memory."""

SHEET_ROWS = 1_048_576
"""That a sheet has, its heading included; further rows go to a further sheet."""

LONGEST_CELL = 32_767
"""Characters of a text in a sheet."""

_PARQUET: dict[
    str, tuple[type[PhotoRow | FaceRow], Callable[[Photo, About], Iterable[PhotoRow | FaceRow]]]
] = {
    "photos.parquet": (PhotoRow, lambda photo, about: [photo_row(photo, about)]),
    "faces.parquet": (FaceRow, face_rows),
    "low-confidence-faces.parquet": (FaceRow, low_confidence_face_rows),
}
PARQUET = tuple(_PARQUET)
_PACKAGES = {**dict.fromkeys(_PARQUET, "pyarrow.parquet"), "xlsx": "xlsxwriter"}
_ARROW = {"text": "string", "integer": "int64", "number": "float64", "truth": "bool_"}
_MEANINGS = ("table", "column", "kind", "unit", "meaning", "example")


def require(kind: str) -> None:
    """Make sure, before there is anything to write, that it can be written.

    Raises:
        NightshiftError: `tables_missing`.
    """
    if kind in _PACKAGES:
        imported(_PACKAGES[kind])


def is_made(kind: str) -> bool:
    """Whether it is made here, and not by the server."""
    return kind in get_args(MadeFormat)


def save_table(client: Client, job_id: str, file: BinaryIO, kind: str) -> None:
    """Write a job's tables, as far as there are results, to a binary file.

    Raises:
        NightshiftError: `tables_missing`, and what a client raises.
    """
    require(kind)
    about, photos = client.about(job_id), client.results(job_id)
    if kind == "xlsx":
        write_xlsx(file, photos, about)
    else:
        table, rows_of = _PARQUET[kind]
        write_parquet(file, table, (row for photo in photos for row in rows_of(photo, about)))


def write_parquet(file: BinaryIO, row: type[PhotoRow | FaceRow], rows: Iterable[PhotoRow | FaceRow]) -> None:
    """Write rows of one class; what is told of a column stands beside its field."""
    arrow, parquet = imported("pyarrow"), imported("pyarrow.parquet")
    told = columns(row)
    schema = arrow.schema(
        [_field(arrow, column) for column in told], {"nightshift.format_version": str(FORMAT_VERSION)}
    )
    source = iter(rows)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(source, GROUP_ROWS)):
            data = {column.name: [getattr(each, column.name) for each in group] for column in told}
            writer.write_table(arrow.table(data, schema=schema))


def _field(arrow: Any, column: Column) -> Any:
    told = column.told
    about = {"meaning": told.meaning, **({"unit": told.unit} if told.unit else {})}
    return arrow.field(column.name, getattr(arrow, _ARROW[column.kind])(), column.optional, about)


def _telling_where_sheets_lie(
    write: Callable[[BinaryIO, Iterable[Photo], About], None],
) -> Callable[[BinaryIO, Iterable[Photo], About], None]:
    """Have a full disk told as an OSError, which says where sheets are put together."""

    def written(file: BinaryIO, photos: Iterable[Photo], about: About) -> None:
        try:
            write(file, photos, about)
            return
        except imported("xlsxwriter.exceptions").FileCreateError as error:
            number, why = error.args[0].errno, error.args[0].strerror
        # Not from within: what the error holds would go on with the file when that is closed.
        raise OSError(number, f"{why}; sheets are put together in {gettempdir()} (TMPDIR)")

    return written


@_telling_where_sheets_lie
def write_xlsx(file: BinaryIO, photos: Iterable[Photo], about: About) -> None:
    """Write sheets `photos`, `faces`, `low confidence faces` and `columns`, a row at a time."""
    xlsxwriter = imported("xlsxwriter")
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        kinds = (("photos", PhotoRow), ("faces", FaceRow), ("low confidence faces", FaceRow))
        tables = {name: _Sheets(book, name, row) for name, row in kinds}
        for photo in photos:
            tables["photos"].add(cells(photo_row(photo, about)))
            for row in face_rows(photo, about):
                tables["faces"].add(cells(row))
            for row in low_confidence_face_rows(photo, about):
                tables["low confidence faces"].add(cells(row))
        meanings = _Sheet(book, "columns", _MEANINGS, [None] * len(_MEANINGS))
        for cells_of in _meanings():
            meanings.add(cells_of)


def _meanings() -> Iterator[list[Cell]]:
    for name, row in (("photos", PhotoRow), ("faces", FaceRow)):
        for column in columns(row):
            told = column.told
            yield [name, column.name, column.kind, told.unit, told.meaning.replace("`", ""), told.example]


class _Sheets:
    """A table, on as many sheets as it takes."""

    def __init__(self, book: Any, name: str, row: type[Any]) -> None:
        self._book, self._name = book, name
        self._heads = [column.name for column in columns(row)]
        forms: dict[int, Any] = {}
        for digits in sorted({column.told.digits or 0 for column in columns(row)} - {0}):
            forms[digits] = book.add_format({"num_format": f"0.{'0' * digits}"})
        self._forms = [forms.get(column.told.digits or 0) for column in columns(row)]
        self._number = 1
        self._sheet = _Sheet(book, name, self._heads, self._forms)

    def add(self, row: Sequence[Cell]) -> None:
        if self._sheet.rows == SHEET_ROWS:
            self._number += 1
            self._sheet = _Sheet(self._book, f"{self._name} {self._number}", self._heads, self._forms)
        self._sheet.add(row)


class _Sheet:
    """One sheet with its heading, which stays in sight."""

    def __init__(self, book: Any, name: str, heads: Sequence[str], forms: Sequence[Any]) -> None:
        self._sheet, self._forms = book.add_worksheet(name), forms
        self._sheet.freeze_panes(1, 0)
        for place, head in enumerate(heads):
            self._sheet.set_column(place, place, len(head) + 2)
            self._sheet.write_string(0, place, head)
        self.rows = 1

    def add(self, row: Sequence[Cell]) -> None:
        for place, cell in enumerate(row):
            match cell:
                case None:
                    continue
                case bool():
                    self._sheet.write_boolean(self.rows, place, cell)
                case str():
                    # As a string: no formula, no link, no date, whatever it looks like.
                    self._sheet.write_string(self.rows, place, cell[:LONGEST_CELL])
                case _:
                    self._sheet.write_number(self.rows, place, cell, self._forms[place])
        self.rows += 1
