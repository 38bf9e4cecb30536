"""What clients send beside photo bytes: parts of paths, queries and JSON bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, Strict

from nightshift.words.analysis import PHOTO_ERROR_CODES
from nightshift.words.clock import utc_now
from nightshift.words.errors import InvalidInput, NotFound
from nightshift.words.options import JobOptions, Whole
from nightshift.words.processing_window import ProcessingWindow
from nightshift.words.scopes import Scope
from nightshift.words.states import JobState, PhotoStatus
from shared.operations.keys import LOCAL, check_owner

METADATA_LIMIT = 16_384
"""Bytes of JSON a job's metadata may have."""
METADATA_DEPTH = 64
"""Objects and lists in each other that it may have: every reader of JSON has some such limit."""
_LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)
"""Of the year that follows, some time zones see the next one, which has no date here."""


def _storable(text: str) -> str:
    # PostgreSQL keeps no NUL; JSON may bring half a surrogate pair, which is no character.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or half a surrogate pair")
    return text


def _header_text(text: str) -> str:
    # WSGI hands header bytes over as latin-1.
    try:
        return _storable(text.encode("latin-1").decode())
    except UnicodeError as error:
        raise InvalidInput("not_utf8", "Idempotency-Key is not UTF-8") from error


def _job_id(text: str) -> str:
    if not text.startswith("job_") or not text.isascii() or "\x00" in text:
        raise NotFound("job_not_found", f"no job {text}")
    return text


def _photo_id(text: str) -> str:
    if not text.startswith("pho_") or not text.isascii() or "\x00" in text:
        raise NotFound("photo_not_found", f"no photo {text}")
    return text


def _key_id(text: str) -> str:
    if not text.startswith("key_") or not text.isascii() or "\x00" in text:
        raise NotFound("key_not_found", f"no key {text}")
    return text


def _plain_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if _is_deeper(value, METADATA_DEPTH):
        raise ValueError(f"has more than {METADATA_DEPTH} objects and lists in each other")
    # Halves of surrogate pairs, which no JSON reader need take from us, do not encode.
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
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


def _in_future(at: datetime) -> datetime:
    if at <= utc_now():
        raise ValueError("must be in the future")
    if at >= _LAST_MOMENT:
        raise ValueError("must be before the year 9999")
    return at.astimezone(UTC)


def _error_code(code: str) -> str:
    if code not in PHOTO_ERROR_CODES:
        raise ValueError(f"must be one of {', '.join(sorted(PHOTO_ERROR_CODES))}")
    return code


Text = Annotated[str, AfterValidator(_storable)]


class JobPath(BaseModel):
    """Names a job."""

    job_id: Annotated[str, AfterValidator(_job_id)] = Field(description="`job_` and 32 hex digits.")


class KeyPath(BaseModel):
    """Names a key."""

    key_id: Annotated[str, AfterValidator(_key_id)] = Field(description="`key_` and 32 hex digits.")


class PhotoPath(JobPath):
    """Names a photo of a job."""

    photo_id: Annotated[str, AfterValidator(_photo_id)] = Field(description="`pho_` and 32 hex digits.")


class PageQuery(BaseModel):
    """Which page."""

    cursor: str | None = Field(None, max_length=500, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000, description="Entries a page at most.")


class JobsQuery(PageQuery):
    """Which jobs."""

    state: JobState | None = Field(None, description="Only jobs in this state.")
    label: Text | None = Field(None, description="Only jobs with exactly this label.")
    owner: Text | None = Field(
        None, description="Only this owner's jobs; those of others need the scope `operator`."
    )


class PhotosQuery(PageQuery):
    """Which photos of a job."""

    status: PhotoStatus | None = Field(None, description="Only photos with this status.")
    code: Text | None = Field(None, description="Only photos that failed with this error code.")


class PutQuery(BaseModel):
    """Which photo is put."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")


class PauseQuery(BaseModel):
    """How long to pause."""

    until: Annotated[AwareDatetime, AfterValidator(_in_future)] | None = Field(
        None, description="When it goes on by itself; without it, on `resume`."
    )


class RetryQuery(BaseModel):
    """What to try again."""

    code: list[Annotated[str, AfterValidator(_error_code)]] | None = Field(
        None,
        description="Only photos that failed with one of these codes; `cancelled` stands for cancelled ones."
        " Without it, every photo that did not succeed.",
    )


class ResultsQuery(BaseModel):
    """In which form results are wanted."""

    format: Literal["jsonl", "csv"] | None = Field(None, description="Instead of the Accept header.")


class Body(BaseModel):
    """Base of JSON bodies; a field that is not known is refused, since it is likely misspelt.

    Strict: neither true nor "5" is a number, nor 1 a truth. A form, which brings text alone, says so when it
    validates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class NewJob(Body):
    """A job to be opened."""

    label: Text | None = Field(None, max_length=200, description="Your own name for it.")
    priority: Whole = Field(
        0,
        ge=-1000,
        le=1000,
        description="Jobs of higher priority are worked on first; above 0 needs the scope `admin`.",
    )
    metadata: Annotated[dict[str, JsonValue], AfterValidator(_plain_json)] = Field(
        default_factory=dict, description="Anything you want back with the job; 16 KiB at most."
    )
    max_failure_rate: float | None = Field(
        None, ge=0, le=1, description="The job stops, failed, once more than this fraction of its photos has."
    )
    processing_window: Annotated[str, AfterValidator(_window)] | None = Field(
        None, description="Work on it only then: `22:00-06:00 Europe/Berlin`, over midnight if need be."
    )
    options: JobOptions = Field(
        default_factory=JobOptions,
        description="What is not given is as the server is configured, by default as shown here.",
    )

    def chosen_options(self) -> dict[str, Any]:
        """The options that were given."""
        return self.options.model_dump(exclude_unset=True)


class IdempotencyHeader(BaseModel):
    """Makes a request safe to send again."""

    key: Annotated[str, AfterValidator(_header_text)] | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Of your choice, for 24 hours: the same request sent again makes no second job.",
    )


class NewKey(Body):
    """A key to be made."""

    name: Text = Field(min_length=1, max_length=200, description="What it is for.")
    owner: Annotated[str, AfterValidator(check_owner)] = Field(
        LOCAL, description="Whose jobs it makes and sees: small letters, digits, `.`, `_`, `-`."
    )
    scopes: list[Annotated[Scope, Strict(False)]] = Field(
        min_length=1, max_length=10, description="What it is good for."
    )
    expires_at: Annotated[AwareDatetime, Strict(False), AfterValidator(_in_future)] | None = Field(
        None, description="From then on it is refused; null: never."
    )


class KnownPhoto(Body):
    """A photo whose bytes the server may have already."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of its bytes, hex.")


class KnownPhotos(Body):
    """Photos to look for before they are sent."""

    photos: list[KnownPhoto] = Field(min_length=1, max_length=1000)


class InPlacePhoto(Body):
    """A photo that stays where it is."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    path: Text = Field(
        max_length=16_384,
        description="Absolute path of a file on the server's machine; as a `file:` URL where it is no UTF-8.",
    )


class InPlacePhotos(Body):
    """Photos to register; they are never copied, moved, written or deleted."""

    photos: list[InPlacePhoto] = Field(min_length=1, max_length=1000)
