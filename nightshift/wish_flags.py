"""The flags of a command that makes a job: one for each plain field of `NewJob`, and for each option."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from nightshift.flags import flag_of
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
    kinds = map(_bare, get_args(field.annotation) or (field.annotation,))
    kind = next((kind for kind in kinds if kind in (int, float, bool)), str)
    dashed = name.replace("_", "-")
    option = flag_of(field, show_default=False)
    option.param_decls = (_SHORTER.get(name, f"--{dashed}/--no-{dashed}" if kind is bool else f"--{dashed}"),)
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind | None, option]
    )


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
