"""Flags that stand for an option, a setting or a wish: its own bounds and words, and the default in force."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, starmap
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from typer.core import TyperCommand

from nightshift.exits import SERVICE_IS_HERE
from nightshift.words.errors import InvalidInput
from nightshift.words.new_job import JobChange, JobWishes, NewJob
from nightshift.words.options import JobOptions

_NO_FLAGS = frozenset({"metadata", "notify", "options"})
_SHORTER = {"processing_window": "--window"}


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


def with_flags(
    run: Callable[..., None],
    command: Callable[..., None],
    *,
    instead_of: str,
    flags: Iterable[inspect.Parameter] = (),
) -> Callable[..., None]:
    """`run`, which passes on to a command what it takes no part in, as a command with the flags of both.

    Args:
        run: takes its own flags by name, and all others.
        command: what it passes on to.
        instead_of: the parameter of `command` that `run` makes of its flags, which stand in its place.
        flags: further ones, that `run` takes among the others.
    """
    *named, _others = inspect.signature(run, eval_str=True).parameters.values()
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += [*named, *flags] if parameter.name == instead_of else [parameter]
    run = functools.wraps(command)(run)
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


_PLAIN = {name: field for name, field in JobWishes.model_fields.items() if name not in _NO_FLAGS}


def with_changes(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `change` is filled from flags: fields of `JobChange`, and `--clear`."""

    def run(**given: Any) -> None:
        cleared = dict.fromkeys(map(_clearable, given.pop("clear") or ()))
        metadata = metadata_of(given.pop("metadata") or ())
        notify = [{"url": url} for url in given.pop("notify") or ()]
        fields = _taken_from(given, _PLAIN)
        fields |= {name: value for name, value in (("metadata", metadata), ("notify", notify)) if value}
        if both := sorted(cleared.keys() & fields.keys()):
            raise typer.BadParameter(f"{both[0]} is given a value as well", param_hint="--clear")
        with _naming_flags():
            change = JobChange.of(**cleared, **fields)
        command(change=change, **given)

    flags = [*starmap(_flag, _PLAIN.items()), _METADATA, _NOTIFY_NOW, _CLEAR]
    return with_flags(run, command, instead_of="change", flags=flags)


@contextmanager
def _naming_flags() -> Iterator[None]:
    """Name what is wrong as it was given: `--window`, not `processing_window`."""
    try:
        yield
    except InvalidInput as error:
        found = error.details.get("errors")
        if not isinstance(found, list):
            raise
        message = "; ".join(f"{_called(each['field'])}: {each['message']}" for each in found)
        raise InvalidInput(error.code, message, **error.details) from error


def _called(field: str) -> str:
    name = field.removeprefix("options.").partition(".")[0]
    if name not in {*_PLAIN, *JobOptions.model_fields, _NOTIFY.name}:
        return field
    return _SHORTER.get(name, f"--{name.replace('_', '-')}")


_CLEARABLE = {
    "label": "label",
    "window": "processing_window",
    "deadline": "deadline",
    "max-failure-rate": "max_failure_rate",
    "notify": "notify",
}
_CLEAR = inspect.Parameter(
    "clear",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    default=None,
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            metavar="WISH",
            help=f"Take a wish back: {', '.join(_CLEARABLE)}. May be given several times.",
            show_default=False,
        ),
    ],
)


def _clearable(name: str) -> str:
    if name not in _CLEARABLE:
        said = f"{name!r} is none of {', '.join(_CLEARABLE)}"
        raise typer.BadParameter(said, param_hint="--clear")
    return _CLEARABLE[name]


def with_wishes(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `wish` is filled from flags: plain fields of `NewJob`, and options."""
    plain, options = _PLAIN, JobOptions.model_fields

    def run(**given: Any) -> None:
        metadata = metadata_of(given.pop("metadata") or ())
        notify = [{"url": url} for url in given.pop("notify") or ()] or None
        fields, chosen = _taken_from(given, plain), _taken_from(given, options)
        with _naming_flags():
            wish = NewJob.of(**fields, metadata=metadata, notify=notify, options=chosen or None)
        command(wish=wish, **given)

    flags = [*starmap(_flag, (plain | options).items()), _METADATA, _NOTIFY]
    return with_flags(run, command, instead_of="wish", flags=flags)


_METADATA = inspect.Parameter(
    "metadata",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    default=None,
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Anything you want back with the job; may be given several times.",
            show_default=False,
        ),
    ],
)


_NOTIFY = inspect.Parameter(
    "notify",
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    default=None,
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            envvar="NIGHTSHIFT_NOTIFY",
            help="Where word of its end is sent: a webhook, https://..., or a message by Apprise, mailtos://..."
            " (docs/webhooks.md); may be given several times.",
            show_default=False,
            show_envvar=True,
        ),
    ],
)

_NOTIFY_NOW = _NOTIFY.replace(
    # Without the variable: whoever sets that means jobs that are made, and not every later change of one.
    annotation=Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Where word of its end is sent from now on, as for `submit`, instead of where it was; may be"
            " given several times. `--clear notify` leaves it to what is set for all jobs.",
            show_default=False,
        ),
    ]
)


def metadata_of(given: Iterable[str]) -> dict[str, str] | None:
    """Names and values of `NAME=VALUE`; None where there are none.

    Raises:
        typer.BadParameter: one has no name, or no `=`.
    """
    metadata = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{text!r} does not read NAME=VALUE", param_hint="--metadata")
        metadata[name] = value
    return metadata or None


def _taken_from(given: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := given.pop(name)) is not None}


def _flag(name: str, field: FieldInfo) -> inspect.Parameter:
    kinds = map(_bare, get_args(field.annotation) or (field.annotation,))
    kind: Any = next((kind for kind in kinds if kind in (int, float, bool)), str)
    if get_origin(field.annotation) is Literal:
        kind = field.annotation
    dashed = name.replace("_", "-")
    option = flag_of(field, show_default=False)
    option.param_decls = (_SHORTER.get(name, f"--{dashed}/--no-{dashed}" if kind is bool else f"--{dashed}"),)
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Annotated[kind | None, option]
    )


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


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
