"""Bundles come in whole or not at all, and under no name that leads elsewhere."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nightshift.bundles import importing
from nightshift.bundles import source as sources
from nightshift.bundles.importing import import_bundle
from nightshift.words.error_codes import Code
from nightshift.words.errors import ModelUnavailable, NightshiftError
from shared.bundles.manifest import MANIFEST, TENSORS
from tests.support.archives_made import encrypted, tar_of, zip_of
from tests.support.bundles_made import make_bundle


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that were checked, by name; what the check is has tests of its own."""
    folders: list[Path] = []
    monkeypatch.setattr(importing, "check_folder", folders.append)
    return folders


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = make_bundle(tmp_path / "sent" / "mine")
    (folder / "setup.py").write_text("not to be copied")
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def packed(source: Path, prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{name}": data for name, data in contents(source).items()}


def refused(source: Path, weights: Path, name: str | None = None) -> NightshiftError:
    """The error, after which nothing has changed."""
    before = contents(weights)
    with pytest.raises(NightshiftError) as caught:
        import_bundle(source, weights, name)
    assert contents(weights) == before
    assert not weights.exists() or not [path for path in weights.iterdir() if path.name.startswith(".")]
    assert ".importing-" not in caught.value.message
    return caught.value


def test_the_two_files_are_copied_as_they_are(source: Path, weights: Path, checked: list[Path]) -> None:
    imported = import_bundle(source, weights)
    assert (imported.folder, imported.new, imported.manifest.name) == (weights / "mine", True, "mine")
    assert contents(weights) == {f"mine/{name}": (source / name).read_bytes() for name in (MANIFEST, TENSORS)}
    assert [folder.parent for folder in checked] == [weights]


def test_another_name_is_the_folders_and_not_the_manifests(source: Path, weights: Path) -> None:
    imported = import_bundle(source, weights, "yours")
    assert (imported.folder.name, imported.manifest.name) == ("yours", "mine")
    assert (weights / "yours" / MANIFEST).read_bytes() == (source / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    "make",
    [
        zip_of,
        lambda files: zip_of(files, packed=True),
        tar_of,
        lambda files: tar_of(files, gzipped=True),
    ],
    ids=["zip", "deflated", "tar", "tar.gz"],
)
@pytest.mark.parametrize("prefix", ["", "./", "bundle/", "./bundle/"])
def test_an_archive_will_do(
    source: Path, weights: Path, make: Callable[[dict[str, bytes]], bytes], prefix: str
) -> None:
    files = {**packed(source, prefix), "__MACOSX/._manifest.json": b"x", "a/b/manifest.json": b"x"}
    archive = source.parent / "archive"
    archive.write_bytes(make(files))
    import_bundle(archive, weights)
    assert sorted(contents(weights)) == [f"mine/{MANIFEST}", f"mine/{TENSORS}"]


def test_the_same_again_is_no_error(source: Path, weights: Path, checked: list[Path]) -> None:
    import_bundle(source, weights)
    again = import_bundle(source, weights)
    assert (again.new, again.same_manifest) == (False, True)
    assert len(checked) == 1
    make_bundle(source, licence="another")
    before = contents(weights)
    assert not import_bundle(source, weights).same_manifest
    assert contents(weights) == before


def test_other_weights_under_the_name_are_a_conflict(source: Path, weights: Path) -> None:
    make_bundle(weights / "mine", tensors=b"others")
    error = refused(source, weights)
    assert error.code == "bundle_exists"
    assert "other weights" in error.message


@pytest.mark.parametrize("how", ["broken", "empty", "file", "link"])
def test_anything_else_under_the_name_is_a_conflict(source: Path, weights: Path, how: str) -> None:
    weights.mkdir()
    place = weights / "mine"
    if how == "broken":
        make_bundle(place, format="none")
    elif how == "empty":
        place.mkdir()
    elif how == "file":
        place.touch()
    else:
        place.symlink_to("nowhere")
    assert refused(source, weights).code == "bundle_exists"


BAD_NAMES = ["..", ".", "../up", "a/b", "/etc", ".hidden", "-x", "a b", "a\\b", "ü", "a\n", "x" * 101, ""]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_plain_name_is_refused(source: Path, weights: Path, name: str) -> None:
    assert refused(source, weights, name).code == "bad_bundle_name"


@pytest.mark.parametrize("name", ["..", "../up", "/etc/x", ".hidden", "a b"])
def test_so_is_a_manifests_name(source: Path, weights: Path, name: str) -> None:
    make_bundle(source, name=name)
    assert refused(source, weights).code == "bad_bundle_name"
    assert import_bundle(source, weights, "mine").folder == weights / "mine"


@pytest.mark.parametrize("missing", [MANIFEST, TENSORS])
@pytest.mark.parametrize("archived", [False, True])
def test_a_file_that_is_not_there_is_named(source: Path, weights: Path, missing: str, archived: bool) -> None:
    (source / missing).unlink()
    archive = source.parent / "archive.zip"
    archive.write_bytes(zip_of(packed(source)))
    error = refused(archive if archived else source, weights)
    assert error.code == "bundle_not_found"
    assert missing in error.message


def test_tensors_of_another_bundle_are_refused(source: Path, weights: Path) -> None:
    (source / TENSORS).write_bytes(b"others")
    error = refused(source, weights)
    assert error.code == "bundle_sha256"
    assert str(source) in error.message


def test_what_does_not_pass_the_check_leaves_nothing(
    source: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path) -> None:
        raise ModelUnavailable(Code.BUNDLE_TENSORS, f"{folder}: age.bias is missing")

    monkeypatch.setattr(importing, "check_folder", fail)
    error = refused(source, weights)
    assert (error.code, error.message) == ("bundle_tensors", f"{source}: age.bias is missing")


def test_hostile_archives_are_refused_by_name(source: Path, weights: Path) -> None:
    whole = packed(source)
    hostile = {
        "archive_member_unsafe": zip_of({f"../{name}": data for name, data in whole.items()}),
        "archive_encrypted": encrypted(zip_of(whole), TENSORS),
        "several_bundles": zip_of({**packed(source, "a/"), **packed(source, "b/")}),
        "unsupported_archive": b"Rar!" * 200,
        "unreadable_archive": tar_of(whole, gzipped=True)[:100],
        "archive_limit": zip_of({**whole, "zeros": bytes(20_000_000)}, packed=True),
    }
    for code, data in hostile.items():
        archive = source.parent / "archive"
        archive.write_bytes(data)
        assert refused(archive, weights).code == code
    archive.write_bytes(zip_of({}, links={MANIFEST: "/etc/passwd"}))
    assert refused(archive, weights).code == "archive_member_unsafe"


def test_a_file_over_the_limit_is_refused(
    source: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FILE_BYTES", 5)
    assert refused(source, weights).code == "bundle_too_large"


def test_no_such_source(source: Path, weights: Path) -> None:
    assert refused(source.parent / "nowhere", weights).code == "no_such_path"


def test_a_full_disk_is_told_and_leaves_nothing(
    source: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    error = refused(source, weights)
    assert (error.code, "No space left on device" in error.message) == ("bundle_not_imported", True)


def test_weights_that_cannot_be_written_to(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refused(source, tmp_path / "file" / "weights")
    assert error.code == "bundle_not_imported"
    assert str(tmp_path / "file") in error.message


def test_what_a_broken_off_import_left_is_cleared_a_day_later(source: Path, weights: Path) -> None:
    old, new = make_bundle(weights / ".importing-old"), make_bundle(weights / ".importing-new")
    os.utime(old, (time.time() - 90_000,) * 2)
    import_bundle(source, weights)
    assert (old.exists(), new.exists()) == (False, True)
