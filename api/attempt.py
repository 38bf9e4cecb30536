"""One attempt to sign in with the OpenID provider, between going there and coming back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Attempt:
    """What only the browser that has begun knows.

    Attributes:
        state: comes back in the address.
        nonce: comes back within the token.
        verifier: proves to the provider that who fetches the token has begun.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def begun(cls) -> Self:
        """A new one; each part has 256 bits of chance."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))
