"""Pages that programs write."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest


def assert_kept(
    program: ModuleType, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edit: tuple[str, str]
) -> str:
    """The page is as its program writes it, and found and mended where it is not; returns its text.

    Args:
        program: of docs/.
        page: the program's name for its path.
        tmp_path: for a page that is behind.
        monkeypatch: of the test.
        edit: what stands on the page, and what on the one that is behind.
    """
    kept: Path = getattr(program, page)
    whole = kept.read_text(encoding="utf-8")
    assert program.updated(whole) == whole
    behind = tmp_path / kept.name
    behind.write_text(whole.replace(*edit), encoding="utf-8")
    assert behind.read_text(encoding="utf-8") != whole
    monkeypatch.setattr(program, page, behind)
    monkeypatch.setattr("sys.argv", ["page", "--check"])
    assert program.main() == 1
    monkeypatch.setattr("sys.argv", ["page"])
    assert program.main() == 0
    assert behind.read_text(encoding="utf-8") == whole
    return whole
