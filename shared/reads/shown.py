"""Rows as documents."""

from __future__ import annotations

from typing import Any, TypeVar

from nightshift.words.document import Document

Shown = TypeVar("Shown", bound=Document)


def shown(document: type[Shown], row: object, **made: Any) -> Shown:
    """A document: what is not made for it is on the row, under the same name.

    Raises:
        AttributeError: it is not; no field is left to its default.
    """
    names = document.model_fields.keys() - made.keys()
    return document.model_validate({name: getattr(row, name) for name in names} | made, from_attributes=True)
