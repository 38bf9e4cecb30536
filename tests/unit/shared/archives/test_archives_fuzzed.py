"""Archives built from fields that lie, and then damaged: named errors, bounded bytes, memory and time."""

from __future__ import annotations

import io
import os
import time
import tracemalloc
from collections.abc import Callable

import pytest

from nightshift.words.archive_kinds import kind_of_archive_file
from nightshift.words.errors import InvalidInput, Unreadable
from shared.archives.member import ArchiveBroken, Limits, storable_name
from shared.archives.opening import open_archive
from tests.support.archives_drawn import Draw

LIMITS = Limits(members=200, total_bytes=20_000_000, photo_bytes=400_000, ratio=50)
MOST_PEAK_BYTES = 12_000_000
"""Headers of 2 MB in pieces and joined, a directory's block, a piece in hand and one unpacked."""

MOST_S = 20.0
PIECE_BYTES = 256 * 1024

MEMBER_CODES = {
    "archive_member_unsafe",
    "archive_member_damaged",
    "archive_encrypted",
    "archive_nested",
    "file_too_large",
    "unsupported_format",
}


def read_through(archive: bytes) -> int:
    """Read what may be hostile, held to what is promised; returns bytes that came out."""
    given_bytes = 0
    try:
        file = io.BytesIO(archive)
        opened = open_archive(file, kind_of_archive_file(file), LIMITS)
        for number, one in enumerate(opened.members()):
            assert one.position == number < LIMITS.members
            assert one.name == storable_name(one.name)
            if one.error or one.left_alone:
                assert one.error is None or one.error.code in MEMBER_CODES
                continue
            size_bytes = 0
            try:
                for chunk in one.chunks():
                    size_bytes += len(chunk)
                    assert size_bytes <= LIMITS.photo_bytes + PIECE_BYTES
            except Unreadable as error:
                assert error.code in {"archive_member_damaged", "file_too_large"}
            given_bytes += size_bytes
    except InvalidInput as error:
        assert error.code in {"unsupported_archive", "unreadable_archive", "archive_limit"}
    except ArchiveBroken as error:
        assert error.code in {"archive_damaged", "archive_member_damaged"}
    # A piece may be in hand when a limit is noticed.
    assert given_bytes <= max(10_000_000, len(archive) * LIMITS.ratio) + PIECE_BYTES
    return given_bytes


def held_to_its_bounds(archive: bytes) -> int:
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    began = time.monotonic()
    given_bytes = read_through(archive)
    assert time.monotonic() - began < MOST_S
    _, peak = tracemalloc.get_traced_memory()
    assert peak - before < MOST_PEAK_BYTES
    return given_bytes


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [3, pytest.param(150, marks=pytest.mark.soak)])
@pytest.mark.parametrize("make", [Draw.zip, Draw.tar], ids=["zip", "tar"])
def test_fields_that_lie_give_members_and_named_errors_and_nothing_else(
    make: Callable[[Draw], bytes], seconds: float, record_property: Callable[[str, object], None]
) -> None:
    first = int.from_bytes(os.urandom(6), "big")
    end = time.monotonic() + seconds
    tried = gave = 0
    tracemalloc.start()
    try:
        while tried < 300 or time.monotonic() < end:
            archive = make(Draw(first + tried))
            try:
                gave += held_to_its_bounds(archive) > 0
            except BaseException as error:
                error.add_note(f"of Draw({first + tried})")
                raise
            tried += 1
    finally:
        tracemalloc.stop()
    record_property("archives", tried)
    # Not all are refused at once: some are read to where they lie.
    assert gave > tried / 20 > 0.5, (gave, tried)
