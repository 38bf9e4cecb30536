"""Decoders that an installation may lack: its tests are skipped, and fail in CI."""

from __future__ import annotations

from importlib.util import find_spec

from tests.support.requirements import require


def require_rawpy() -> None:
    require(find_spec("rawpy"), "rawpy is not installed")


def require_jxl() -> None:
    require(find_spec("pillow_jxl"), "pillow-jxl-plugin is not installed")
