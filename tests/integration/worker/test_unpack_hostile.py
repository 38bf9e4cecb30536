"""Hostile archives from the request to the last row: refused at the door, or ended at once by a worker."""

from __future__ import annotations

import bz2
import gzip
import time

import pytest

from tests.support.archives_made import tar_of, zip_of
from tests.support.service import Service
from tests.support.tars_made import END, header, long_name, member, pax
from tests.support.zips_made import Piece, quoting_each_other, zip_bytes
from worker.parts import Parts
from worker.slice import run_slice

FIRST = member(b"first.jpg", b"photo 1")
DEEP = b"".join(pax((b"path", b"%d.jpg" % n)) for n in range(3000))


@pytest.mark.parametrize(
    "lie",
    [
        pax((b"size", b"1" + b"0" * 30)) + header(b"b.jpg"),
        header(b"b.jpg", b"\x80" + b"\xff" * 11),
        header(b"b.jpg", b"\xff" * 12),
        DEEP + member(b"b.jpg", b"photo 2"),
        long_name(b"x" * 200) * 3000 + member(b"b.jpg", b"photo 2"),
    ],
    ids=["10^30 bytes", "2^95 bytes", "negative", "pax headers", "long names"],
)
def test_a_tar_that_lies_ends_at_once_and_keeps_what_came_before(
    service: Service, parts: Parts, lie: bytes
) -> None:
    sent = service.send(archive=FIRST + lie + END)
    assert sent.status_code == 202, sent.text
    began = time.monotonic()
    run_slice(parts)
    assert time.monotonic() - began < 30
    assert service.codes(sent.json["id"]) == {"first.jpg": None, "party.zip": "archive_damaged"}
    assert service.job(sent.json["id"])["state"] == "ended"


@pytest.mark.parametrize(
    ("archive", "status", "code"),
    [
        (quoting_each_other(30, bytes(1_500_000)), 422, "archive_limit"),
        (zip_bytes(Piece(b"a.jpg"), Piece(b"b.jpg", offset=0)), 422, "archive_limit"),
        (DEEP + FIRST + END, 422, "unreadable_archive"),
        (pax((b"size", b"-1")) + FIRST + END, 422, "unreadable_archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), 415, "unsupported_archive"),
        (b"\xff\xd8\xff\xe0" + bytes(600), 415, "unsupported_archive"),
        (b"anything " * 100, 415, "unsupported_archive"),
        (zip_bytes(Piece(), end={"disk": 1}), 415, "unsupported_archive"),
        (gzip.compress(b"\xff\xd8\xff", mtime=0), 415, "unsupported_archive"),
        (zip_of({f"{n}.txt": b"x" for n in range(50)}), 422, "empty_upload"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_at_the_door(
    service: Service, archive: bytes, status: int, code: str
) -> None:
    refused = service.send(archive=archive)
    assert (refused.status_code, refused.json["code"]) == (status, code), refused.text
    assert service.stored() == []


@pytest.mark.parametrize(
    ("archive", "name"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "7z"),
        (bz2.compress(tar_of({"a.jpg": b"photo"})), "bzip2"),
        (b"\xff\xd8\xff\xe0" + bytes(600), "JPEG"),
        (zip_bytes(Piece(), end={"disk": 1}), "split zip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_is_named_to_whoever_sends_it(service: Service, archive: bytes, name: str) -> None:
    assert name in service.send(archive=archive).json["detail"]


def test_a_zip_behind_a_program_becomes_a_job(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_bytes(Piece(b"a.jpg", b"photo"), front=b"MZ" + bytes(3000)))
    run_slice(parts)
    assert service.codes(sent.json["id"]) == {"a.jpg": None}


def test_many_members_that_are_no_photos_are_left_to_a_worker(service: Service, parts: Parts) -> None:
    sent = service.send(archive=zip_of({f"{n}.txt": b"x" for n in range(300)}))
    assert sent.status_code == 202
    run_slice(parts)
    assert service.codes(sent.json["id"]) == {"party.zip": "unsupported_format"}


def test_kinds_that_are_left_alone_are_counted_in_bounds(service: Service, parts: Parts) -> None:
    members = {f"{n}.kind{n}": b"x" for n in range(500)} | {"a." + "x" * 500: b"x", "a.jpg": b"photo"}
    sent = service.send(archive=tar_of(members))
    run_slice(parts)
    counts = service.job(sent.json["id"])["archive"]["left_alone"]
    assert len(counts) <= 101
    assert sum(counts.values()) == 501
    assert max(map(len, counts)) < 20
