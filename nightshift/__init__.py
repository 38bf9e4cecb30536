"""Nightshift: the Python client and the command."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightshift.client import Client
    from nightshift.errors import ApiError, ClientError, Unreachable, UploadCut

__all__ = ["ApiError", "Client", "ClientError", "Unreachable", "UploadCut"]

_ROOMS = {"Client": "nightshift.client"}


def __getattr__(name: str) -> object:
    # Only when asked for: the service, which stands on nightshift.words, has no HTTP client.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS.get(name, "nightshift.errors")), name)
