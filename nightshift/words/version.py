"""The version, of the client and the service alike."""

from __future__ import annotations

VERSION = "0.1.0"
