"""What a column of a table is, and the columns of a class of rows.

CSV, Parquet, XLSX, the JSON Schema and the data dictionary are all made from what stands beside a field of
`nightshift.words.tables`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields
from functools import cache
from types import NoneType
from typing import Any, Literal, cast, get_args, get_type_hints

Cell = str | int | float | bool | None

Kind = Literal["text", "integer", "number", "truth"]
KINDS: dict[type, Kind] = {str: "text", int: "integer", float: "number", bool: "truth"}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a column beside its name and type.

    Attributes:
        meaning: one sentence or two, in Markdown.
        example: a cell that might be.
        unit: of a number; empty for none.
        digits: behind the point that a number is rounded to.
    """

    meaning: str
    example: Cell
    unit: str = ""
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, what its cells are, whether they may be empty, and what is told of it."""

    name: str
    kind: Kind
    optional: bool
    told: Told


def columns(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a dataclass whose fields are annotated with `Told`, in their order."""
    return _columns(cast(Hashable, row))


@cache
def _columns(row: Any) -> tuple[Column, ...]:
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(field.name, *get_args(hints[field.name])) for field in fields(row))


def _column(name: str, hint: Any, told: Told) -> Column:
    kinds = set(get_args(hint)) or {hint}
    (kind,) = kinds - {NoneType}
    return Column(name, KINDS[kind], NoneType in kinds, told)


def json_schema(row: type[Any]) -> dict[str, Any]:
    """JSON Schema of one row as an object; `unit` and `digits` are annotations of ours."""
    return {
        "type": "object",
        "description": (row.__doc__ or "").strip(),
        "properties": {column.name: _property(column) for column in columns(row)},
        "required": [column.name for column in columns(row)],
        "additionalProperties": False,
    }


def _property(column: Column) -> dict[str, Any]:
    kind = {"text": "string", "truth": "boolean"}.get(column.kind, column.kind)
    told = column.told
    about: dict[str, Any] = {
        "type": [kind, "null"] if column.optional else kind,
        "description": told.meaning,
        "examples": [told.example],
    }
    if told.unit:
        about["unit"] = told.unit
    if told.digits is not None:
        about["digits"] = told.digits
    return about
