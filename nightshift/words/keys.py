"""Keys as a server shows them, and who is signed in by one."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from nightshift.words.document import Document, Known
from nightshift.words.scopes import Scope


class Key(Document):
    """An API key, without the key."""

    id: str = Field(description="`key_` and 32 hex digits.")
    name: str
    owner: str = Field(description="Whose jobs it makes and sees.")
    scopes: list[Known[Scope]]
    created_at: datetime
    revoked_at: datetime | None = Field(
        None, description="From here on it is refused; null while it is good."
    )
    expires_at: datetime | None = Field(None, description="From here on it is refused; null: never.")
    last_used_at: datetime | None = Field(None, description="About when, to the minute; null: not yet.")


class MadeKey(Key):
    """An API key that has just been made."""

    key: str = Field(description="The key itself. It is not kept, and cannot be shown again.")


class KeyList(Document):
    """Keys, the newest first."""

    keys: list[Key]


class SignIn(Document):
    """Who is signed in to the page."""

    signed_in: bool = Field(description="False where nobody is; the rest then says nothing.")
    owner: str = Field("", description="Whose jobs they see.")
    scopes: list[Known[Scope]] = Field(default_factory=list, description="What they may do.")
    key_id: str | None = Field(
        None, description="Of the key they signed in with; null for the root key, and without one."
    )
    ends_at: datetime | None = Field(None, description="When they have to sign in again.")
    person: str | None = Field(None, description="Whom the OpenID provider knows them as; null with a key.")
    provider: str | None = Field(
        None,
        description="Whom one may sign in with, at `/v1/session/oidc`, in place of a key.",
    )
