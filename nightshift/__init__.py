"""Nightshift: the Python client and the command."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightshift.client import AsyncClient, Client
    from nightshift.errors import (
        ApiError,
        ClientError,
        InvalidInput,
        NightshiftError,
        Unreachable,
        UploadCut,
        WaitTimeout,
    )
    from nightshift.words.analysis import Face
    from nightshift.words.documents import Job, Photo
    from nightshift.words.new_job import NewJob
    from nightshift.words.options import JobOptions

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "Face",
    "InvalidInput",
    "Job",
    "JobOptions",
    "NewJob",
    "NightshiftError",
    "Photo",
    "Unreachable",
    "UploadCut",
    "WaitTimeout",
    "__version__",
]

_ROOMS = {
    "AsyncClient": "nightshift.client",
    "Client": "nightshift.client",
    "Face": "nightshift.words.analysis",
    "Job": "nightshift.words.documents",
    "JobOptions": "nightshift.words.options",
    "NewJob": "nightshift.words.new_job",
    "Photo": "nightshift.words.documents",
}


def __getattr__(name: str) -> object:
    # Only when asked for: the service, which stands on nightshift.words, has no HTTP client.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS.get(name, "nightshift.errors")), name)
