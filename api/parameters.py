"""What clients send beside photo bytes and JSON bodies: parts of paths, queries and headers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
)

from nightshift.words.analysis import AGE_GROUPS, DOUBTS
from nightshift.words.body import Text, storable
from nightshift.words.clock import utc_now
from nightshift.words.error_codes import PHOTO_ERROR_CODES, Code
from nightshift.words.errors import InvalidInput, NotFound
from nightshift.words.ids import Prefix
from nightshift.words.options import Fraction, Number, Truth, Whole
from nightshift.words.states import JobState, PhotoStatus
from shared.reads.order import Order, Sort
from shared.reads.sought import Sought

_LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)
"""Of the year that follows, some time zones see the next one, which has no date here."""

_TIME = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _header_text(text: str) -> str:
    # WSGI hands header bytes over as latin-1.
    try:
        return storable(text.encode("latin-1").decode())
    except UnicodeError as error:
        raise InvalidInput(Code.NOT_UTF8, "Idempotency-Key is not UTF-8") from error


def id_of(what: str, prefix: Prefix, missing: Code) -> AfterValidator:
    """The check of an id that a path brings.

    Args:
        what: it names, in words.
        prefix: it begins with.
        missing: the code of a `NotFound` for any other.
    """

    def check(text: str) -> str:
        if not text.startswith(f"{prefix}_") or not text.isascii() or "\x00" in text:
            raise NotFound(missing, f"no {what} {text}")
        return text

    return AfterValidator(check)


_JOB_ID = id_of("job", "job", Code.JOB_NOT_FOUND)
_PHOTO_ID = id_of("photo", "pho", Code.PHOTO_NOT_FOUND)
_KEY_ID = id_of("key", "key", Code.KEY_NOT_FOUND)


def _rfc3339(value: object) -> object:
    # Beside it, pydantic takes seconds since 1970, days without a time, and spaces for the T.
    if not isinstance(value, datetime) and not (isinstance(value, str) and _TIME.fullmatch(value)):
        raise ValueError("must be a time of RFC 3339 with its zone, such as 2031-05-01T22:00:00Z")
    return value


def _in_future(at: datetime) -> datetime:
    if at <= utc_now():
        raise ValueError("must be in the future")
    if at >= _LAST_MOMENT:
        raise ValueError("must be before the year 9999")
    return at.astimezone(UTC)


RETRIED = sorted({*PHOTO_ERROR_CODES, PhotoStatus.CANCELLED})
"""What a photo may have come to that is tried again by name."""


FutureTime = Annotated[AwareDatetime, Strict(False), BeforeValidator(_rfc3339), AfterValidator(_in_future)]


_AGE_GROUPS = tuple(label for label, _, _ in AGE_GROUPS)


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return text

    return check


_age_group, _doubt = _one_of(_AGE_GROUPS), _one_of(DOUBTS)
_CodeOfPhoto = Annotated[str, AfterValidator(_one_of(RETRIED)), Field(json_schema_extra={"enum": [*RETRIED]})]


def _one_or_true(value: object) -> object:
    if isinstance(value, str) and value not in {"0", "1", "true", "false"}:
        raise ValueError("must be `1` or `true`, or else `0` or `false`")
    return value


class JobPath(BaseModel):
    """Names a job."""

    job_id: Annotated[str, _JOB_ID] = Field(description="`job_` and 32 hex digits.")


class KeyPath(BaseModel):
    """Names a key."""

    key_id: Annotated[str, _KEY_ID] = Field(description="`key_` and 32 hex digits.")


class PhotoPath(JobPath):
    """Names a photo of a job."""

    photo_id: Annotated[str, _PHOTO_ID] = Field(description="`pho_` and 32 hex digits.")


class ImageQuery(BaseModel):
    """What is drawn."""

    boxes: Annotated[bool, BeforeValidator(_one_or_true)] = Field(
        False, description="`1` or `true`: with boxes around the faces that were found."
    )


class PageQuery(BaseModel):
    """Which page."""

    cursor: str | None = Field(None, max_length=500, description="`next` of the page before.")
    limit: Whole = Field(100, ge=1, le=1000, description="Entries a page at most.")


class AuditQuery(PageQuery):
    """Which entries of the audit."""

    subject: Text | None = Field(None, description="Only those about what has this id.")
    owner: Text | None = Field(
        None, description="Only those about what is this owner's; that of others needs the scope `admin`."
    )


class OverviewQuery(BaseModel):
    """Which jobs of the overview."""

    limit: Whole = Field(20, ge=1, le=1000, description="So many jobs at most, the newest.")
    job: Annotated[str, _JOB_ID] | None = Field(None, description="Only this job.")


class JobsQuery(PageQuery):
    """Which jobs."""

    state: JobState | None = Field(None, description="Only jobs in this state.")
    label: Text | None = Field(None, description="Only jobs with exactly this label.")
    owner: Text | None = Field(
        None, description="Only this owner's jobs; those of others need the scope `operator`."
    )


_Gender = Literal["female", "male"]
_AgeGroup = Annotated[str, AfterValidator(_age_group), Field(json_schema_extra={"enum": [*_AGE_GROUPS]})]


class SoughtQuery(BaseModel):
    """Which photos of a job. What is asked of a face must hold of one and the same face."""

    status: PhotoStatus | None = Field(None, description="Only photos with this status.")
    code: _CodeOfPhoto | None = Field(None, description="Only photos that failed with this error code.")
    prefix: Text | None = Field(None, max_length=1024, description="Only names that begin so.")
    search: Text | None = Field(
        None, max_length=1024, description="Only names that hold this, in capitals or not, in any script."
    )
    folder: Text | None = Field(
        None, min_length=1, max_length=1024, description="Only what lies in this folder, or in one within it."
    )
    min_faces: Whole | None = Field(None, ge=0, le=1_000_000, description="Only with so many faces or more.")
    max_faces: Whole | None = Field(None, ge=0, le=1_000_000, description="Only with so many faces or fewer.")
    gender: _Gender | None = Field(None, description="Only with a face of this apparent gender.")
    age_group: list[_AgeGroup] | None = Field(
        None, description="Only with a face of one of these apparent age groups; may be there several times."
    )
    uncertain: Literal["gender", "age_group", "any"] | None = Field(
        None, description="Only with a face whose label is uncertain: that one, or any."
    )
    because: Annotated[str, AfterValidator(_doubt), Field(json_schema_extra={"enum": [*DOUBTS]})] | None = (
        Field(None, description="Only with a face whose label is uncertain for this reason.")
    )
    min_confidence: Fraction | None = Field(
        None, description="Only with a face that the detector is so sure of, or surer."
    )
    min_gender_probability: Fraction | None = Field(
        None, description="Only with a face whose apparent gender is so probable, or more."
    )
    min_age_group_probability: Fraction | None = Field(
        None, description="Only with a face whose apparent age group is so probable, or more."
    )
    min_quality: Number | None = Field(
        None,
        ge=0,
        le=1000,
        allow_inf_nan=False,
        description="Only with a face whose `quality.sharpness` is so or more: of a sharp face about 1.",
    )

    @field_validator("max_faces")
    @classmethod
    def _not_fewer(cls, value: int | None, others: ValidationInfo) -> int | None:
        if value is not None and value < (others.data.get("min_faces") or 0):
            raise ValueError("must be `min_faces` or more")
        return value

    def sought(self) -> Sought:
        """The same for the database."""
        return Sought(**{name: getattr(self, name) for name in SoughtQuery.model_fields})


class OrderedQuery(SoughtQuery):
    """Which photos of a job, and in which order."""

    sort: Sort = Field(
        "added",
        description="`added`: as they were added; `name`: capitals aside, numbers by value; `time`: when"
        " they were taken, by the camera's clock; `faces`: the fewest first; `least_sure`: by the least sure"
        " label of their faces. Photos without a time, or without a face, come last. While a job runs, photos"
        " take their places as they end.",
    )
    reverse: Truth = Field(False, description="The other way round; what has no place is last all the same.")

    def order(self) -> Order:
        """The same for the database."""
        return Order(self.sort, self.reverse)


class PhotosQuery(OrderedQuery, PageQuery):
    """Which photos of a job, in which order, and which page of them."""


class OutlineQuery(OrderedQuery):
    """Which photos of a job, in which order, and how long their pages are."""

    limit: Whole = Field(100, ge=1, le=1000, description="Entries a page, as the list of photos is asked.")


PLACE = Field(
    None,
    ge=0,
    le=2**53 - 1,
    description="Where it is listed among the job's photos, from 0, whichever arrives first;"
    " without it behind those that came before.",
)


class PutQuery(BaseModel):
    """Which photo is put."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    place: Whole | None = PLACE


class PauseQuery(BaseModel):
    """How long to pause."""

    until: FutureTime | None = Field(None, description="When it goes on by itself; without it, on `resume`.")


class RetryQuery(BaseModel):
    """What to try again."""

    code: list[_CodeOfPhoto] | None = Field(
        None,
        description="Only photos that failed with one of these codes; `cancelled` stands for cancelled ones."
        " Without it, every photo that did not succeed.",
    )
    photo: list[Annotated[str, _PHOTO_ID]] | None = Field(
        None, max_length=100, description="Only these photos, by their ids."
    )


class ResultsQuery(SoughtQuery):
    """Which results are wanted, in which form, and how many at a time."""

    cursor: str | None = Field(None, max_length=500, description="Of the `Link` of the page before.")
    limit: Whole | None = Field(
        None,
        ge=1,
        le=1000,
        description="Photos at most; the `Link` header leads to the next. Without it all of them come.",
    )
    format: Literal["jsonl", "csv"] | None = Field(None, description="Instead of the Accept header.")


class FollowHeader(BaseModel):
    """How to wait for a change; `api.following` reads it."""

    prefer: str | None = Field(
        None,
        alias="Prefer",
        description="`wait=30`: to be answered after a change, or so many seconds, 30 at most.",
    )
    known: str | None = Field(
        None,
        alias="If-None-Match",
        description="`ETag` of the answer before: 304 while it is the same; with `wait`, what is to change.",
    )


class DigestHeader(BaseModel):
    """What the body should be; `api.body` reads it."""

    digest: str | None = Field(
        None,
        alias="Content-Digest",
        description="`sha-256=:BASE64:`, of the body: 400 when something else has arrived.",
    )


class IdempotencyHeader(BaseModel):
    """Makes a request safe to send again."""

    key: Annotated[str, AfterValidator(_header_text)] | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Of your choice, for 24 hours: the same request sent again makes no second job.",
    )


class IfMatchHeader(BaseModel):
    """Changes a thing only as it is known."""

    etag: str | None = Field(
        None,
        alias="If-Match",
        max_length=500,
        description="The `ETag` that it had: 412 where its wishes have been changed since.",
    )
