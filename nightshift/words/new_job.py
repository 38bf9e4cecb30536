"""What a client may wish of a job: each field with its bounds, its default and its words, once.

The client's arguments, the JSON body, the form, the command's flags and the job's row are made from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from nightshift.words.body import Body, Text, is_unicode, refuse_fields, wrong_field
from nightshift.words.errors import InvalidInput
from nightshift.words.options import Fraction, JobOptions, Whole
from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.webhooks import MOST_RECEIVERS, Notify, distinct

METADATA_LIMIT = 16_384
"""Bytes of JSON a job's metadata may have."""
METADATA_DEPTH = 64
"""Objects and lists in each other that it may have: every reader of JSON has some such limit."""


def _plain_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if _is_deeper(value, METADATA_DEPTH):
        raise ValueError(f"has more than {METADATA_DEPTH} objects and lists in each other")
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if not is_unicode(text):
        raise ValueError("holds half a surrogate pair")
    if len(text.encode()) > METADATA_LIMIT:
        raise ValueError(f"is over {METADATA_LIMIT} bytes")
    return value


def _is_deeper(value: JsonValue, levels: int) -> bool:
    """Whether it has more levels; found without going down by calls, which have a limit of their own."""
    level: list[JsonValue] = [value]
    for _ in range(levels + 1):
        inner = [
            list(each.values()) if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        ]
        if not inner:
            return False
        level = [each for values in inner for each in values]
    return True


def _window(text: str) -> str:
    ProcessingWindow.parse(text)
    return text


_SHORT = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?", re.ASCII)
_ISO = re.compile(r"P[\dDWTHMS.]+|\d{4}-\d\d-\d\d[Tt ]\S+", re.ASCII)
_TIME: TypeAdapter[datetime | timedelta] = TypeAdapter(AwareDatetime | timedelta)
LONGEST_DEADLINE = timedelta(days=3660)


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value and (short := _SHORT.fullmatch(value)):
        days, hours, minutes, seconds = (int(number or 0) for number in short.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        if not _ISO.fullmatch(value):
            raise ValueError
        return _TIME.validate_python(value)
    except ValueError as error:
        raise ValueError("must be a time, 2026-12-24T06:00:00Z, or a duration, 8h or PT8H") from error


def _deadline(value: datetime | timedelta) -> datetime | timedelta:
    if isinstance(value, timedelta):
        if not timedelta() < value <= LONGEST_DEADLINE:
            raise ValueError(f"must be more than nothing, and {LONGEST_DEADLINE.days} days at most")
    elif value.tzinfo is None or not 1970 < value.year < 9999:
        raise ValueError("must be a time with its zone, before the year 9999")
    return value


Window = Annotated[str, AfterValidator(_window)]
LABEL_LIMIT = 200
"""Characters a label may have."""


class JobWishes(Body):
    """What is wished of a job beside what is done with its photos: all that may be changed later."""

    label: Text | None = Field(None, max_length=LABEL_LIMIT, description="Your own name for it.")
    priority: Whole = Field(
        0,
        ge=-1000,
        le=1000,
        description="Jobs of higher priority are worked on first; above 0 needs the scope `admin`.",
    )
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_plain_json)] = Field(
        default_factory=dict, description="Anything you want back with the job; 16 KiB at most."
    )
    max_failure_rate: Fraction | None = Field(
        None, description="The job stops, failed, once more than this fraction of its photos has."
    )
    processing_window: Window | None = Field(
        None, description="Work on it only then: `22:00-06:00 Europe/Berlin`, over midnight if need be."
    )
    deadline: (
        Annotated[
            datetime | timedelta,
            BeforeValidator(_time, json_schema_input_type=str),
            AfterValidator(_deadline),
        ]
        | None
    ) = Field(
        None,
        description="When it has passed, what is not done is cancelled: `2026-12-24T06:00:00Z`, or, from now,"
        " `8h` or `PT8H`.",
    )
    notify: Annotated[list[Notify], AfterValidator(distinct)] | None = Field(
        None,
        max_length=MOST_RECEIVERS,
        description="Where to send word of it, by webhook or message; without it, to where its owner has"
        " everything sent, and with an empty list, nowhere.",
    )

    @classmethod
    def _checked(cls, fields: dict[str, Any], *, strict: bool, inside: str | None = None) -> Self:
        try:
            return cls.model_validate(fields, strict=strict)
        except ValidationError as error:
            refuse_fields(error, inside)

    def as_json(self) -> dict[str, Any]:
        """What was given, as JSON."""
        return self.model_dump(mode="json", exclude_unset=True)

    def deadline_from(self, now: datetime) -> datetime | None:
        """When the deadline is, as wished now.

        Raises:
            InvalidInput: `invalid_fields`, it has passed.
        """
        deadline = now + self.deadline if isinstance(self.deadline, timedelta) else self.deadline
        if deadline is not None and deadline <= now:
            raise wrong_field("deadline", "has passed already")
        return deadline


class NewJob(JobWishes):
    """A job to be opened."""

    options: JobOptions = Field(
        default_factory=JobOptions,
        description="What is not given is as the server is configured, by default as shown here.",
    )

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """A wish of these fields; None stands for one that is not given.

        Raises:
            InvalidInput: `invalid_fields`, with each that is wrong.
        """
        given = {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in fields.items()
            if value is not None
        }
        return cls._checked(given, strict=True)

    @classmethod
    def of_form(cls, fields: Mapping[str, str], parse: Any = json.loads) -> Self:
        """The wish in a form's fields: all of them text, some of it JSON, each option a field of its own.

        Args:
            fields: by name.
            parse: reads JSON.

        Raises:
            InvalidInput: `invalid_fields`, with each that is wrong.
        """
        wish: dict[str, Any] = {name: text for name, text in fields.items() if name not in _OPTIONS}
        if options := {name: text for name, text in fields.items() if name in _OPTIONS}:
            wish["options"] = options
        wish |= {name: _parsed(name, wish[name], parse) for name in ("metadata", "notify") if name in wish}
        return cls._checked(wish, strict=False, inside="options")

    def as_form(self) -> dict[str, str]:
        """What was given, as `of_form` reads it."""
        wish = self.as_json()
        wish |= wish.pop("options", {})
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in wish.items()
            if value is not None
        }

    def over(self, defaults: JobOptions) -> Self:
        """The same wish with every option, those that were not given as in `defaults`."""
        options = defaults.model_copy(update=self.options.model_dump(exclude_unset=True))
        return self.model_copy(update={"options": options})


_OPTIONS = JobOptions.model_fields.keys()


def _parsed(name: str, text: str, parse: Any) -> Any:
    try:
        return parse(text)
    except (InvalidInput, ValueError, RecursionError) as error:
        raise wrong_field(name, "is not JSON") from error


LIMITS = ("max_failure_rate", "deadline")
"""Wishes that stop a job; they hold no longer when it is tried again."""


class JobChange(JobWishes):
    """What is to be otherwise from now on; what is not named stays, and null takes a wish back."""

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """A change of these fields; None takes a wish back.

        Raises:
            InvalidInput: `invalid_fields`, with each that is wrong.
        """
        return cls._checked(fields, strict=True)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must name what to change")
        return self


CHANGED_AFTER_THE_END = frozenset({"label", "metadata", "notify"})
"""The others have nothing left to act on."""
