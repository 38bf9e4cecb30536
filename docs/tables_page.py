"""Writes the data dictionary in docs/tables.md, and docs/results.schema.json, from the results' classes.

`python -m docs.tables_page` rewrites them; with `--check` it only says whether they are up to date.
"""

from __future__ import annotations

import json
from typing import Any

from docs.generated import between, keep
from nightshift.words.columns import Column, columns, json_schema
from nightshift.words.documents import Photo
from nightshift.words.tables import FORMAT_VERSION, FaceRow, PhotoRow
from shared.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "tables.md"
SCHEMA = REPOSITORY / "docs" / "results.schema.json"
BY = "docs/tables_page.py"


def updated(page: str) -> str:
    """The page with both tables of columns as they should be."""
    for name, row in (("photos", PhotoRow), ("faces", FaceRow)):
        page = between(page, name, dictionary(row), BY)
    return page


def dictionary(row: type[PhotoRow | FaceRow]) -> str:
    """One line a column."""
    lines = ["| Column | Type | Unit | Meaning | Example |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, columns(row))])


def _line(column: Column) -> str:
    told = column.told
    kind = column.kind + (f", {told.digits} digits" if told.digits else "")
    kind += ", may be empty" if column.optional else ""
    meaning = told.meaning.replace("|", "\\|")
    return f"| `{column.name}` | {kind} | {told.unit} | {meaning} | `{_shown(told.example)}` |"


def _shown(example: object) -> str:
    return str(example).lower() if isinstance(example, bool) else str(example)


def schema() -> str:
    """JSON Schema of a line of the JSON Lines, and of a row of either table, as text."""
    photo = Photo.model_json_schema(mode="serialization", ref_template="#/$defs/{model}")
    parts: dict[str, Any] = photo.pop("$defs", {})
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Results of Nightshift",
        "description": f"A line of results.jsonl. Rows of the tables are in $defs. Format {FORMAT_VERSION}.",
        "$ref": "#/$defs/Photo",
        "$defs": {
            **parts,
            "Photo": photo,
            "PhotoRow": json_schema(PhotoRow),
            "FaceRow": json_schema(FaceRow),
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """0 when both are, or have been made, up to date."""
    return keep(PAGE, updated, BY) | keep(SCHEMA, lambda _: schema(), BY)


if __name__ == "__main__":
    raise SystemExit(main())
