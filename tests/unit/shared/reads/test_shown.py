from __future__ import annotations

from types import SimpleNamespace

import pytest

from nightshift.words.documents import Archive
from shared.reads.shown import shown

ROW = {"name": "a.zip", "sha256": "0", "size_bytes": 1, "left_alone": {}, "unpacked_at": None}


def test_fields_are_taken_from_the_row_by_their_names() -> None:
    archive = shown(Archive, SimpleNamespace(**ROW, lease_token="secret"), members=3)
    assert archive == Archive(**ROW, members=3)
    assert "secret" not in archive.model_dump_json()


def test_no_field_is_left_to_its_default() -> None:
    row = SimpleNamespace(**{name: value for name, value in ROW.items() if name != "left_alone"})
    with pytest.raises(AttributeError, match="left_alone"):
        shown(Archive, row, members=3)
