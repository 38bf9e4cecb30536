"""JSON bodies that clients send, but for a job's own wishes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, Strict

from api.parameters import PLACE, FutureTime
from nightshift.words.body import Body, Text
from nightshift.words.not_sent import NotSentReason
from nightshift.words.options import Whole
from nightshift.words.owners import LOCAL, check_owner
from nightshift.words.scopes import Scope
from nightshift.words.wrong_values import SHA256_HEX


class NewKey(Body):
    """A key to be made."""

    name: Text = Field(min_length=1, max_length=200, description="What it is for.")
    owner: Annotated[str, AfterValidator(check_owner)] = Field(
        LOCAL, description="Whose jobs it makes and sees: small letters, digits, `.`, `_`, `-`."
    )
    scopes: list[Annotated[Scope, Strict(False)]] = Field(
        min_length=1, max_length=10, description="What it is good for."
    )
    expires_at: FutureTime | None = Field(None, description="From then on it is refused; null: never.")


class KnownPhoto(Body):
    """A photo whose bytes the server may have already."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    sha256: str = Field(pattern=SHA256_HEX, description="Of its bytes, hex.")
    place: Whole | None = PLACE


class KnownPhotos(Body):
    """Photos to look for before they are sent."""

    photos: list[KnownPhoto] = Field(min_length=1, max_length=1000)


class NotSentPhoto(Body):
    """A photo that you cannot send."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    reason: NotSentReason = Field(description="Why.")
    place: Whole | None = PLACE


class NotSentPhotos(Body):
    """Photos that failed before they were sent."""

    photos: list[NotSentPhoto] = Field(min_length=1, max_length=1000)


class InPlacePhoto(Body):
    """A photo that stays where it is."""

    custom_id: str = Field(description="Your name for it, unique in the job; 1 to 1024 characters.")
    path: Text = Field(
        max_length=16_384,
        description="Absolute path of a file on the server's machine; as a `file:` URL where it is no UTF-8.",
    )
    root: Text | None = Field(
        None, max_length=16_384, description="The folder you found it under, for the results to say."
    )


class InPlacePhotos(Body):
    """Photos to register; they are never copied, moved, written or deleted."""

    photos: list[InPlacePhoto] = Field(min_length=1, max_length=1000)
