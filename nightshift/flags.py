"""Flags that stand for an option or a setting: its own bounds and words, and the default that is in force."""

from __future__ import annotations

from itertools import chain
from typing import Any, get_args

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from typer.core import TyperCommand

from nightshift.exits import SERVICE_IS_HERE


def flag(option: Any, **more: Any) -> Any:
    """A flag for one of `nightshift.words.options`; its parameter is None where it is not given.

    Args:
        option: an annotated type with a description.
        more: as for `typer.Option`.
    """
    return flag_of(FieldInfo.from_annotation(option), **more)


def flag_of(field: FieldInfo, **more: Any) -> Any:
    """A flag for a field of a model, in its words and within its bounds."""
    bounds: dict[str, Any] = {}
    # Those of `Fraction | None` stand within.
    inner = (FieldInfo.from_annotation(kind).metadata for kind in get_args(field.annotation))
    for mark in chain(field.metadata, *inner):
        if isinstance(mark, Ge):
            bounds["min"] = mark.ge
        elif isinstance(mark, Le):
            bounds["max"] = mark.le
    return typer.Option(help=(field.description or "").replace("`", ""), **bounds, **more)


class ServiceCommand(TyperCommand):
    """A command that reads settings: where a parameter is called like one, `--help` shows what it is now."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; what was put into the environment shows, right or wrong."""
        now = {}
        if SERVICE_IS_HERE:
            from shared.settings import in_force

            now = in_force()
        for parameter in self.params:
            if (value := now.get(parameter.name or "", "")) != "":
                parameter.default, parameter.show_default = str(value), True  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)
