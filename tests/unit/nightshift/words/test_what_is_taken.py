"""The one rule of what is taken for a photo, and that folders and archives follow it alike."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightshift.photos import find_photos
from nightshift.words.archive_kinds import ArchiveKind
from nightshift.words.signatures import kind_of_file
from nightshift.words.what_is_taken import OF_A_SYSTEM, PREVIEWS, left_alone_for_its_place
from shared.archives.member import Limits
from shared.archives.opening import open_archive
from shared.settings import Settings
from tests.support.archives_made import tar_of, zip_of

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(600)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(600)
AVIF = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + bytes(600)
MOV = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(600)
MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isommp42" + bytes(600)
CR3 = b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + bytes(600)
TIFF = b"II*\0\x08\0\0\0" + bytes(600)
CR2 = b"II*\0\x10\0\0\0CR\2\0" + bytes(600)
WEBP = b"RIFF\x24\0\0\0WEBPVP8 " + bytes(600)
AVI = b"RIFF\x24\0\0\0AVI LIST" + bytes(600)
BMP = b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(600)

TAKEN = {
    "a.jfif": JPEG, "b.HIF": HEIC, "c.hif": HEIC, "d.mpo": JPEG, "e.jpe": JPEG, "IMG_0001": JPEG,
    "f.jpg_large": JPEG, "g.dat": PNG, "h.txt": WEBP, "i.mov": HEIC, "j.nef": JPEG, "k.bak": TIFF,
    "l.zip": JPEG, "m": AVIF, "n.": BMP, "o.jpg~": JPEG, "p.Jpeg": b"text that is called a photo",
    "q.tif": CR2, "r.dib": BMP, "s.xyz": b"MM\0*" + bytes(20), "t.": b"GIF89a" + bytes(9),
    "ra.cr2": CR2, "rb.nef": TIFF, "rc.DNG": TIFF, "rd.cr3": CR3, "re.raf": b"FUJIFILMCCD-RAW ",
    "rf.ORF": b"text that is called a raw file", "rg": CR2, "rh.raw": TIFF, "ri.dat": CR3, "rj.kdc": TIFF,
    "rk.jxl": b"\xff\x0a" + bytes(50), "rl": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50),
}  # fmt: skip
LEFT = {
    "a.mov": (MOV, ".mov"), "b.MP4": (MP4, ".mp4"), "c": (MOV, "no extension"),
    "d.raw": (b"values of something", ".raw"),
    "i.pdf": (b"%PDF-1.4", ".pdf"), "j.xmp": (b"<?xml", ".xmp"), "k.aae": (b"<?xml", ".aae"),
    "l.avi": (AVI, ".avi"), "n.txt": (b"BMW is a car, and this a text", ".txt"),
    "o.psd": (b"8BPS\0\1", ".psd"), "p.jp2": (b"\xff\x4f\xff\x51" + bytes(9), ".jp2"), "q.txt": (b"", ".txt"),
    "r.docx": (b"PK\x03\x04" + bytes(90), ".docx"), "s.THM": (JPEG, PREVIEWS), "u.heics": (MP4, ".heics"),
    "v." + "e" * 90: (b"x", "others"), "w.e\u202ef": (b"x", "others"),
}  # fmt: skip


def in_archive(archive: bytes, kind: str) -> tuple[list[str], dict[str, int], dict[str, str]]:
    """Names taken, what is left alone by its word, and codes of what failed."""
    taken, left, failed = [], dict[str, int](), {}
    for member in open_archive(io.BytesIO(archive), kind, Limits.of(Settings())).members():  # type: ignore[arg-type]
        if member.left_alone:
            if member.other_kind:
                left[member.other_kind] = left.get(member.other_kind, 0) + 1
        elif member.error:
            failed[member.name] = member.error.code
        else:
            taken.append(member.name)
            b"".join(member.chunks())
    return taken, left, failed


def in_folder(files: dict[str, bytes], folder: Path) -> tuple[list[str], dict[str, int]]:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    found = find_photos([folder])
    return [photo.custom_id for photo in found.photos], dict(found.left_alone)


def test_folders_and_archives_take_the_same_files(tmp_path: Path) -> None:
    files = TAKEN | {name: data for name, (data, _) in LEFT.items() if name not in TAKEN}
    words: dict[str, int] = {}
    for name in files.keys() - TAKEN:
        words[LEFT[name][1]] = words.get(LEFT[name][1], 0) + 1
    taken, left = in_folder(files, tmp_path)
    assert (sorted(taken), left) == (sorted(TAKEN), words)
    for archive, kind in (
        (zip_of(files), "zip"),
        (tar_of(files), "tar"),
        (tar_of(files, gzipped=True), "tar.gz"),
    ):
        taken, left, failed = in_archive(archive, kind)
        assert (sorted(taken), left, failed) == (sorted(TAKEN), words, {}), kind


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_alone_says_why(name: str, tmp_path: Path) -> None:
    data, word = LEFT[name]
    assert in_folder({name: data}, tmp_path) == ([], {word: 1})
    assert in_archive(zip_of({name: data}), "zip") == ([], {word: 1}, {})


def test_bytes_come_whole_out_of_what_was_looked_at() -> None:
    data = JPEG + os.urandom(700_000)
    for archive, kind in (
        (zip_of({"a": data}, packed=True), "zip"),
        (tar_of({"a": data}, gzipped=True), "tar.gz"),
    ):
        for member in open_archive(io.BytesIO(archive), kind, Limits.of(Settings())).members():  # type: ignore[arg-type]
            assert b"".join(member.chunks()) == data


def test_an_empty_photo_fails_with_its_name_and_is_not_left_out(tmp_path: Path) -> None:
    files = {"a.jpg": b"", "b.jpg": JPEG, "c.txt": b"", ".nomedia": b""}
    assert in_folder(files, tmp_path) == (["a.jpg", "b.jpg"], {".txt": 1})
    for archive, kind in ((zip_of(files), "zip"), (tar_of(files), "tar")):
        assert in_archive(archive, kind) == (["b.jpg"], {".txt": 1}, {"a.jpg": "unsupported_format"})


NOBODYS = {
    "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg": OF_A_SYSTEM,
    "x/@EADIR/a.jpg": OF_A_SYSTEM,
    "#recycle/a.jpg": OF_A_SYSTEM,
    "#snapshot/a.jpg": OF_A_SYSTEM,
    "@Recycle/a.jpg": OF_A_SYSTEM,
    "$RECYCLE.BIN/S-1-5/$R1.jpg": OF_A_SYSTEM,
    "$Recycle.Bin/a.jpg": OF_A_SYSTEM,
    "System Volume Information/a.jpg": OF_A_SYSTEM,
    "lost+found/a.jpg": OF_A_SYSTEM,
    "LOST.DIR/a.jpg": OF_A_SYSTEM,
    ".Trash-1000/files/a.jpg": "",
    ".Trashes/501/a.jpg": "",
    ".thumbnails/a.jpg": "",
    ".AppleDouble/a.jpg": "",
    ".@__thumb/a.jpg": "",
    "__MACOSX/._a.jpg": "",
    "__macosx/a.jpg": "",
    "d/Thumbs.db": "",
    "d/THUMBS.DB": "",
    "Photos.photoslibrary/resources/derivatives/a.jpg": PREVIEWS,
    "Photos Library.photoslibrary/database/a.jpg": PREVIEWS,
    "copied/resources/derivatives/masters/a.jpg": PREVIEWS,
    "Old.aplibrary/Previews/a.jpg": PREVIEWS,
    "iPhoto Library/Thumbnails/a.jpg": PREVIEWS,
    "Main Previews.lrdata/A/a.jpg": PREVIEWS,
    "Main Smart Previews.LRDATA/A/a.dng": PREVIEWS,
    "CaptureOne/Cache/Thumbnails/a.jpg": PREVIEWS,
    "darktable/mipmaps-0123456789abcdef.d/3/7.jpg": PREVIEWS,
    "appdata_oc1x/preview/1/a.jpg": PREVIEWS,
}
SOMEBODYS = [
    "Photos.photoslibrary/originals/A/a.jpg",
    "Old.aplibrary/Masters/2011/a.jpg",
    "iPhoto Library/Originals/a.jpg",
    "iPhoto Library/Modified/a.jpg",
    "Cache/a.jpg",
    "thumbnails/a.jpg",
    "previews/a.jpg",
    "recycling plant/a.jpg",
    "resources/a.jpg",
    "Lost and found/a.jpg",
    "CaptureOne/a.jpg",
]


@pytest.mark.parametrize("name", NOBODYS)
def test_what_systems_and_photo_programs_keep_is_nobodys(name: str, tmp_path: Path) -> None:
    word = NOBODYS[name]
    counted = {word: 1} if word else {}
    assert in_folder({name: JPEG}, tmp_path) == ([], counted)
    for archive, kind in ((zip_of({name: JPEG}), "zip"), (tar_of({name: JPEG}), "tar")):
        assert in_archive(archive, kind) == ([], counted, {})


def test_folders_that_only_sound_like_it_are_somebodys(tmp_path: Path) -> None:
    files = dict.fromkeys(SOMEBODYS, JPEG)
    assert in_folder(files, tmp_path) == (sorted(SOMEBODYS), {})
    assert in_archive(zip_of(files), "zip") == (SOMEBODYS, {}, {})


def test_a_folder_given_by_its_name_is_looked_into(tmp_path: Path) -> None:
    """Who names a waste bin means it."""
    (tmp_path / "#recycle").mkdir()
    (tmp_path / "#recycle" / "a.jpg").write_bytes(JPEG)
    assert [photo.custom_id for photo in find_photos([tmp_path / "#recycle"]).photos] == ["a.jpg"]


def test_a_folder_that_is_left_alone_counts_once(tmp_path: Path) -> None:
    files = {f"@eaDir/{n}.jpg": JPEG for n in range(30)} | {"a.jpg": JPEG}
    assert in_folder(files, tmp_path) == (["a.jpg"], {OF_A_SYSTEM: 1})


def test_names_that_settle_it_cost_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = os.open

    def watched(path: os.PathLike[str], *rest: int) -> int:
        opened.append(os.fspath(path))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", watched)
    in_folder({f"{n}.jpg": JPEG for n in range(20)} | {"film.mov": MOV}, tmp_path)
    assert opened == [str(tmp_path / "film.mov")]


def test_pipes_and_what_may_not_be_read_hold_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    found = find_photos([tmp_path])
    assert [photo.custom_id for photo in found.photos] == ["a.jpg"]
    assert found.left_alone == {"no extension": 2}


@given(st.binary(max_size=600), st.text(max_size=6))
def test_any_bytes_are_something_or_nothing(beginning: bytes, extension: str) -> None:
    kind = kind_of_file(beginning, extension)
    assert kind is None or kind.name


@given(st.lists(st.text(max_size=12), max_size=5))
def test_any_place_is_judged(parts: list[str]) -> None:
    assert left_alone_for_its_place(parts) in {None, "", OF_A_SYSTEM, PREVIEWS}


def test_an_empty_file_is_nobodys_other_file(tmp_path: Path) -> None:
    """Nothing says that it is no photo; one that cannot be read is another matter."""
    (tmp_path / "IMG_0001").write_bytes(b"")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_bytes(b"")
    assert [photo.custom_id for photo in find_photos([tmp_path]).photos] == ["IMG_0001"]
    kinds: dict[ArchiveKind, bytes] = {"zip": zip_of({"IMG_0001": b""}), "tar": tar_of({"IMG_0001": b""})}
    for kind, archive in kinds.items():
        [member] = open_archive(io.BytesIO(archive), kind, Limits.of(Settings())).members()
        assert member.error is not None
        assert member.error.message == "the file is empty"
