import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightshift import Client, Unreachable
from nightshift.thumbnails import LARGEST_BYTES, thumbnails
from tests.support.answering_server import Answer, serving
from tests.support.pieces import all_of, coming

FIRST, SECOND = f"pho_{1:032x}", f"pho_{2:032x}"


def tar_of(*members: tuple[str, bytes], link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members:
            head = tarfile.TarInfo(name)
            head.size = len(data)
            tar.addfile(head, io.BytesIO(data))
        if link:
            head = tarfile.TarInfo(link)
            head.type, head.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(head)
    return out.getvalue()


def thumbnails_in(pieces: Iterator[bytes]) -> list[tuple[str, bytes]]:
    return all_of(thumbnails(coming(pieces)))


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 511, 512, 100_000])
def test_members_are_read_whatever_the_pieces(size: int) -> None:
    tar = tar_of((f"{FIRST}.webp", b"a" * 700), (f"{SECOND}.webp", b""))
    assert (thumbnails_in(in_pieces(tar, size))) == [(FIRST, b"a" * 700), (SECOND, b"")]


def test_an_empty_tar_has_none() -> None:
    assert (thumbnails_in(iter([bytes(1024)]))) == []


@pytest.mark.parametrize(
    "name",
    [
        "../escape.webp",
        f"/{FIRST}.webp",
        f"sub/{FIRST}.webp",
        f"{FIRST}.webp\n",
        f"{FIRST}.html",
        f"{FIRST.upper()}.webp",
        "pho_1.webp",
    ],
)
def test_a_name_that_no_thumbnail_has_is_passed_over(name: str) -> None:
    tar = tar_of((name, b"no"), (f"{FIRST}.webp", b"yes"))
    assert (thumbnails_in(iter([tar]))) == [(FIRST, b"yes")]


def test_links_and_what_is_too_long_are_passed_over() -> None:
    tar = tar_of((f"{FIRST}.webp", bytes(LARGEST_BYTES + 1)), link=f"{SECOND}.webp")
    assert (thumbnails_in(in_pieces(tar, 65_536))) == []


@pytest.mark.parametrize("data", [b"no tar at all" * 100, tar_of((f"{FIRST}.webp", b"a" * 700))[:900]])
def test_what_is_no_whole_tar_is_an_error(data: bytes) -> None:
    with pytest.raises(Unreachable, match="thumbnails"):
        (thumbnails_in(iter([data])))


def test_a_folder_is_filled_and_the_rest_of_it_left_alone(tmp_path: Path) -> None:
    tar = tar_of((f"{FIRST}.webp", b"one"), (f"{SECOND}.webp", b"two"))
    folder = tmp_path / "thumbnails"
    folder.mkdir()
    (folder / "mine.txt").write_bytes(b"mine")
    (folder / f"{FIRST}.webp").write_bytes(b"older")
    with serving(lambda *_: Answer(body=tar)) as server, Client(server.url) as client:
        assert client.save_thumbnails("job_1", folder) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "mine.txt": b"mine",
        f"{FIRST}.webp": b"one",
        f"{SECOND}.webp": b"two",
    }
    assert server.requests[0].path == "/v1/jobs/job_1/thumbnails"
