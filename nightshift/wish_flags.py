"""The flags of a command that makes a job: one for each plain field of `NewJob`, and for each option."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, get_args

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from nightshift.words.new_job import NewJob
from nightshift.words.options import JobOptions

_NO_FLAGS = frozenset({"metadata", "options"})
_SHORTER = {"processing_window": "--window"}


def with_wishes(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `wish` is filled from flags."""
    signature = inspect.signature(command, eval_str=True)
    plain = {name: field for name, field in NewJob.model_fields.items() if name not in _NO_FLAGS}
    options = JobOptions.model_fields

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = {name: value for name in options if (value := given.pop(name)) is not None}
        wish = NewJob.of(**{name: given.pop(name) for name in plain}, options=chosen or None)
        command(wish=wish, **given)

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name == "wish":
            parameters += [_flag(name, field) for name, field in {**plain, **options}.items()]
        else:
            parameters.append(parameter)
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


def _flag(name: str, field: FieldInfo) -> inspect.Parameter:
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not NoneType]
    kind = kinds[0] if kinds[0] in (int, float, bool) else str
    dashed = name.replace("_", "-")
    option = typer.Option(
        _SHORTER.get(name, f"--{dashed}/--no-{dashed}" if kind is bool else f"--{dashed}"),
        help=(field.description or "").replace("`", ""),
        show_default=False,
        min=next((mark.ge for mark in field.metadata if isinstance(mark, Ge)), None),  # type: ignore[arg-type]
        max=next((mark.le for mark in field.metadata if isinstance(mark, Le)), None),  # type: ignore[arg-type]
    )
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind | None, option]
    )
