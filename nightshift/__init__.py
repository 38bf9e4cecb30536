"""Nightshift: the Python client and the command."""

from nightshift.client import Client
from nightshift.errors import ApiError, ClientError, Unreachable, UploadCut

__all__ = ["ApiError", "Client", "ClientError", "Unreachable", "UploadCut"]
