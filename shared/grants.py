"""Whom of those that an OpenID provider knows the service lets in: what its claims give, as whose jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightshift.words.owners import LOCAL, check_owner
from nightshift.words.scopes import Scope

_FIELDS = {"owner", "scopes"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one value of the claim gives.

    Attributes:
        owner: whose jobs they see; empty where another claim says it.
        scopes: what they may do.
    """

    owner: str
    scopes: frozenset[Scope]


def grants_in(text: str) -> dict[str, Grant]:
    """Grants by the value of the claim, in the order they were written.

    Args:
        text: `{"picture-desk": {"owner": "news", "scopes": ["submit"]}}`; empty for none.

    Raises:
        ValueError: it is not of that form, or names a scope or an owner that cannot be.
    """
    if not text.strip():
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ValueError('must be an object such as {"desk": {"owner": "news", "scopes": ["submit"]}}')
    return {name: _grant(name, value) for name, value in given.items()}


def granted(
    claims: Mapping[str, Any], claim: str, grants: Mapping[str, Grant], owner_claim: str
) -> Grant | None:
    """What these claims give; None for nothing.

    Of several groups the first in the settings says the owner, and scopes of another owner's do not count:
    who may only look at one owner's jobs must not steer them for being somebody elsewhere.

    Args:
        claims: of an ID token that was checked, or of the provider's answer about the user.
        claim: the one whose value, or values, name grants; `a.b` is `b` within `a`.
        owner_claim: the one that names the owner where a grant does not; empty for none.
    """
    values = values_of(claims, claim)
    if claim == "email" and claims.get("email_verified") is not True:
        values = []
    owned = [
        (grant.owner or _owner_in(claims, owner_claim, grants), grant.scopes)
        for name, grant in grants.items()
        if name in values
    ]
    owner = next((owner for owner, _ in owned if owner), None)
    if owner is None:
        return None
    return Grant(owner, frozenset().union(*(scopes for whose, scopes in owned if whose == owner)))


def values_of(claims: Mapping[str, Any], claim: str) -> list[str]:
    """Texts that a claim holds: itself, those of its list, or those at a path into it."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return [value for value in listed if isinstance(value, str)]


def _owner_in(claims: Mapping[str, Any], claim: str, grants: Mapping[str, Grant]) -> str | None:
    """The owner by a claim: never one that belongs to a group, or to the root key."""
    taken = {LOCAL, *(grant.owner for grant in grants.values())}
    for value in values_of(claims, claim) if claim else ():
        try:
            owner = check_owner(value.lower())
        except ValueError:
            continue
        if owner not in taken:
            return owner
    return None


def _grant(name: str, value: object) -> Grant:
    if not isinstance(value, dict) or not set(value) <= _FIELDS or "scopes" not in value:
        raise ValueError(f'{name}: must be an object such as {{"owner": "news", "scopes": ["submit"]}}')
    scopes, owner = value["scopes"], value.get("owner", "")
    if not isinstance(scopes, list) or not scopes or not set(map(str, scopes)) <= set(Scope):
        raise ValueError(f"{name}: scopes must be a list with some of {', '.join(Scope)}")
    if not isinstance(owner, str):
        raise ValueError(f"{name}: owner must be text")
    try:
        return Grant(check_owner(owner) if owner else "", frozenset(map(Scope, scopes)))
    except ValueError as error:
        raise ValueError(f"{name}: owner {error}") from error
