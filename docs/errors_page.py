"""Writes the tables of docs/errors.md from the enums of codes and what stands below their members.

`python -m docs.errors_page` rewrites what lies between the markers; with `--check` it only says whether
that is up to date.
"""

from __future__ import annotations

import ast
import inspect

from bench.error_codes import BenchCode
from docs.generated import between, keep
from nightshift.words.error_codes import Code
from nightshift.words.errors import AnyCode, Fails
from shared.settings import REPOSITORY
from training.error_codes import TrainingCode

PAGE = REPOSITORY / "docs" / "errors.md"
BY = "docs/errors_page.py"

_IN_ROWS = {Fails.PHOTO: "photo", Fails.PHOTO_FOR_NOW: "photo, retryable", Fails.JOB: "job"}


def updated(page: str) -> str:
    """The page with its tables as they should be."""
    for name, codes in (("codes", Code), ("training", TrainingCode), ("bench", BenchCode)):
        page = between(page, name, table(codes), BY)
    return page


def table(codes: type[AnyCode]) -> str:
    """One row a code, by name; where all of them are messages of a tool, without saying so."""
    said = explained(codes)
    served = any(map(_places, codes))
    rows = ["| Code | Where | At fault | Meaning | What to do |", "|---|---|---|---|---|"]
    if not served:
        rows = ["| Code | Meaning | What to do |", "|---|---|---|"]
    for code in sorted(codes):
        about = [_places(code) or "message", code.fault.value] if served else []
        rows.append(f"| {' | '.join([f'`{code}`', *about, *said[code]])} |")
    return "\n".join(rows)


def explained(codes: type[AnyCode]) -> dict[AnyCode, tuple[str, str]]:
    """What each code means, and what to do, as it stands below its member."""
    body = ast.parse(inspect.getsource(codes)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - a class is given
    said = {}
    for member, text in zip(body.body, body.body[1:], strict=False):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(lines))):
                meaning, _, todo = lines.partition("\n")
                said[codes[name]] = meaning, " ".join(todo.split())
    return said


def _places(code: AnyCode) -> str:
    answer = [str(code.status)] if code.status else []
    return "; ".join([*answer, *(place for flag, place in _IN_ROWS.items() if code.fails & flag)])


def main() -> int:
    """0 when docs/errors.md is, or has been made, up to date."""
    return keep(PAGE, updated, BY)


if __name__ == "__main__":
    raise SystemExit(main())
