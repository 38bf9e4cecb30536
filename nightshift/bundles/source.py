"""The files of a bundle, taken out of a folder or an archive; nothing else is, under any name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from nightshift.words.archive_kinds import kind_of_archive
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, ModelUnavailable, Unreadable
from nightshift.words.what_is_taken import OF_A_SYSTEM, PREVIEWS
from shared.archives.member import ArchiveBroken, Limits, Member
from shared.archives.opening import open_archive
from shared.bundles.manifest import BUNDLE_FILES, MANIFEST, read_manifest

FILE_BYTES = 1_000_000_000
"""Most that a file may have; the original model in fp32 has 82 MB."""

_CHUNK_BYTES = 1024 * 1024
# The whole may have more than the bundle's files, such as a readme; its other members are passed over.
_LIMITS = Limits(members=1000, total_bytes=3 * FILE_BYTES, photo_bytes=FILE_BYTES, ratio=200)


def copy_bundle(source: Path, folder: Path) -> None:
    """Copy `manifest.json`, and the files of weights that it names, into `folder`.

    Args:
        source: a folder that holds them, or a zip, tar or tar.gz with them at its top or in one folder.
        folder: there, and without these files.

    Raises:
        InvalidInput: `no_such_path`, `bundle_too_large`; `unsupported_archive`, `unreadable_archive`,
            `archive_limit`, `several_bundles` and codes of archive members.
        ModelUnavailable: `bundle_not_found`: one of the files is not there; `bundle_format`.
        OSError: reading or writing failed.
    """
    if source.is_dir():
        for name in (MANIFEST, *BUNDLE_FILES):
            if (source / name).is_file():
                _write(_bytes_of(source / name), folder / name, source)
    elif source.is_file():
        _unpack(source, folder)
    else:
        raise InvalidInput(Code.NO_SUCH_PATH, f"no such folder or archive: {source}")
    where = str(source) if source.is_dir() else f"{source}, neither at its top nor in a folder there"
    if not (folder / MANIFEST).is_file():
        raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {MANIFEST} in {where}")
    named = read_manifest(folder).digests
    for name in BUNDLE_FILES:
        if name not in named:
            (folder / name).unlink(missing_ok=True)
        elif not (folder / name).is_file():
            raise ModelUnavailable(Code.BUNDLE_NOT_FOUND, f"no {name} in {where}")


def _unpack(source: Path, folder: Path) -> None:
    taken: dict[str, PurePosixPath] = {}
    try:
        with source.open("rb") as file:
            kind = kind_of_archive(file.read(512))
            file.seek(0)
            for member in open_archive(file, kind, _LIMITS).members():
                if member.left_alone and member.other_kind in (None, OF_A_SYSTEM, PREVIEWS):
                    continue  # a folder, or what a system leaves
                place = PurePosixPath(member.name)
                if place.name not in (MANIFEST, *BUNDLE_FILES) or len(place.parts) > 2:
                    continue
                if place.name in taken or any(place.parent != parent for parent in taken.values()):
                    raise InvalidInput(
                        Code.SEVERAL_BUNDLES, f"{source} holds more than one bundle: unpack it first"
                    )
                taken[place.name] = place.parent
                _write(_chunks(member), folder / place.name, source)
    except ArchiveBroken as error:
        raise InvalidInput(Code.UNREADABLE_ARCHIVE, f"{source} is damaged or cut off: {error}") from error
    except Unreadable as error:
        raise InvalidInput(error.code, f"{source}: {error.message}") from error
    except InvalidInput as error:
        # The archive's own errors do not know its name.
        known = error.message if str(source) in error.message else f"{source}: {error.message}"
        raise InvalidInput(error.code, known) from error


def _bytes_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _chunks(member: Member) -> Iterator[bytes]:
    if member.error is not None:
        raise InvalidInput(Code[member.error.code.upper()], f"{member.name!r}: {member.error.message}")
    return member.chunks()


def _write(chunks: Iterable[bytes], path: Path, source: Path) -> None:
    size_bytes = 0
    with path.open("xb") as file:
        for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > FILE_BYTES:
                raise InvalidInput(
                    Code.BUNDLE_TOO_LARGE, f"{source}: {path.name} has over {FILE_BYTES:,} bytes"
                )
            file.write(chunk)
