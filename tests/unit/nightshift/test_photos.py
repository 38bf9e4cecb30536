import os
from pathlib import Path

import pytest

from nightshift.photos import archive_among, find_photos
from nightshift.words.errors import InvalidInput


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(*roots: Path, exclude: tuple[Path, ...] = ()) -> list[str]:
    return [photo.custom_id for photo in find_photos(roots, exclude=exclude).photos]


def test_a_folder_is_looked_through_and_named_relative_to_itself(tmp_path: Path) -> None:
    touch(
        tmp_path / "b.JPG", tmp_path / "a.png", tmp_path / "day 2" / "c.heic", tmp_path / "day 2" / "d.avif"
    )
    assert names(tmp_path) == ["a.png", "b.JPG", "day 2/c.heic", "day 2/d.avif"]


def test_what_is_no_photo_is_left_alone_and_counted(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "film.mov", tmp_path / "README", tmp_path / ".hidden.jpg")
    touch(tmp_path / "__MACOSX" / "x.jpg", tmp_path / ".thumbs" / "y.jpg", tmp_path / "Thumbs.db")
    found = find_photos([tmp_path])
    assert [photo.custom_id for photo in found.photos] == ["a.jpg"]
    assert found.left_alone == {".mov": 1, "no extension": 1, "hidden": 1}


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "scan.bin").write_bytes(b"\xff\xd8\xff\xe0")
    assert names(tmp_path / "scan.bin") == ["scan.bin"]


def test_several_folders_put_their_names_in_front(tmp_path: Path) -> None:
    touch(tmp_path / "x" / "fest" / "a.jpg", tmp_path / "y" / "fest" / "a.jpg", tmp_path / "z" / "a.jpg")
    roots = (tmp_path / "x" / "fest", tmp_path / "y" / "fest", tmp_path / "z")
    assert names(*roots) == ["fest/a.jpg", "fest~2/a.jpg", "z/a.jpg"]


def test_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    files = [tmp_path / folder / "a.jpg" for folder in ("x", "y", "deep/y")]
    touch(*files)
    assert names(*files) == ["a.jpg", "y/a.jpg", "y~2/a.jpg"]


def test_a_file_given_twice_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "sub" / "b.jpg")
    found = find_photos([tmp_path, tmp_path / "sub", tmp_path / "a.jpg"])
    assert sorted(photo.path.name for photo in found.photos) == ["a.jpg", "b.jpg"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path / "sub" / "a.jpg")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert names(tmp_path) == ["sub/a.jpg"]


def test_links_to_folders_are_followed_unless_not_wanted(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "a.jpg", tmp_path / "root" / "b.jpg")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names(tmp_path / "root") == ["b.jpg", "link/a.jpg"]
    assert [p.custom_id for p in find_photos([tmp_path / "root"], follow=False).photos] == ["b.jpg"]


def test_the_output_folder_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "out" / "drawn.jpg")
    assert names(tmp_path, exclude=(tmp_path / "out",)) == ["a.jpg"]


def test_a_name_that_is_no_utf8_is_spelled_out(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    touch(tmp_path / "a.jpg", tmp_path / "caf\\xe9.jpg")
    found = find_photos([tmp_path])
    spelled = f"{tmp_path.name}/caf\\xe9.jpg"
    assert [photo.custom_id for photo in found.photos] == sorted(["a.jpg", "caf\\xe9.jpg", spelled])
    assert len({photo.path for photo in found.photos if photo.path.is_file()}) == 3
    assert not found.unnameable


def test_a_folder_that_is_gone_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "locked" / "b.jpg")
    real = os.scandir

    def scandir(path: str) -> object:
        # Root may read everything, so permissions cannot show this.
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_photos([tmp_path])
    assert [photo.custom_id for photo in found.photos] == ["a.jpg"]
    assert found.unreadable == [f"{tmp_path / 'locked'}: Permission denied"]


def a_home(folder: Path, *marks: str) -> Path:
    touch(*(folder / mark for mark in marks), folder / "store" / "local" / "job_1" / "pho_1.jpg")
    return folder


@pytest.mark.parametrize("marks", [("nightshift.db", "lock"), ("nightshift.db", "api_key"), ("api_key",)])
def test_a_home_is_refused_by_its_name_and_left_alone_in_other_folders(
    tmp_path: Path, marks: tuple[str, ...]
) -> None:
    home = a_home(tmp_path / "disk" / "home", *marks)
    touch(tmp_path / "disk" / "party" / "a.jpg", home / "store" / "photos.zip")
    (tmp_path / "link").symlink_to(home / "store")
    for root in (home, home / "store", home / "store" / "local" / "job_1" / "pho_1.jpg", tmp_path / "link"):
        with pytest.raises(InvalidInput, match="a Nightshift home: name the folder") as refused:
            find_photos([tmp_path / "disk" / "party", root])
        assert refused.value.code == "nightshift_home"
        assert str(root) in refused.value.message
    with pytest.raises(InvalidInput, match="Nightshift home"):
        archive_among([home / "store" / "photos.zip"])
    found = find_photos([tmp_path / "disk"])
    assert [photo.custom_id for photo in found.photos] == ["party/a.jpg"]
    assert found.left_alone == {"of a Nightshift home": 1}


def test_links_into_a_home_are_left_alone_file_by_file_and_as_folders(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", "lock")
    party = tmp_path / "party"
    touch(party / "a.jpg", tmp_path / "elsewhere" / "b.jpg")
    kept = home / "store" / "local" / "job_1"
    (party / "kept.jpg").symlink_to(kept / "pho_1.jpg")
    (party / "kept").symlink_to(kept)
    (party / "b.jpg").symlink_to(tmp_path / "elsewhere" / "b.jpg")
    found = find_photos([party])
    assert [photo.custom_id for photo in found.photos] == ["a.jpg", "b.jpg"]
    assert found.left_alone == {"of a Nightshift home": 2}


def test_names_that_a_home_has_make_no_home(tmp_path: Path) -> None:
    touch(tmp_path / "lock", tmp_path / "a.jpg")
    assert names(tmp_path) == ["a.jpg"]
    touch(tmp_path / "shop" / "store" / "b.jpg")
    assert names(tmp_path / "shop") == ["store/b.jpg"]


def test_a_film_that_is_named_on_its_own_is_refused(tmp_path: Path) -> None:
    film = tmp_path / "clip.mov"
    film.write_bytes(b"\0\0\0\x14ftypqt  ")
    with pytest.raises(InvalidInput, match=r"clip\.mov is no photo.*save the frames") as refused:
        find_photos([film])
    assert refused.value.code == "not_a_photo"
    # In a folder it is one of the others.
    assert find_photos([tmp_path]).left_alone == {".mov": 1}


def test_what_is_called_a_photo_and_is_none_fails_by_name_later(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert [photo.custom_id for photo in find_photos([tmp_path / "a.jpg"]).photos] == ["a.jpg"]
