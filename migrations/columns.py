"""Columns for the migrations, as many of one type as there are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

TIME = sa.DateTime(timezone=True)


def required(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    """Columns that are never null."""
    return [sa.Column(name, kind, nullable=False) for name in names]


def optional(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    """Columns that may be null."""
    return [sa.Column(name, kind, nullable=True) for name in names]
