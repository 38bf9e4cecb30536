"""Which files a run is about, and the names they go by."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nightshift.report_page.page import FOLDER, PAGE
from shared.errors import InvalidInput
from shared.photo_names import (
    CUSTOM_ID_LIMIT,
    EXTENSIONS,
    extension_of,
    is_archive_name,
    is_left_by_a_system,
    path_spelled_out,
)


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A file and its name in the job: the path relative to the given folder, with `/`."""

    custom_id: str
    path: Path


@dataclass(slots=True)
class Found:
    """What lies under the given paths.

    Attributes:
        photos: sorted by custom_id, each file once.
        unnameable: photos whose name no job can hold; they are not taken.
        unreadable: folders that could not be looked into, with the reason.
        left_alone: files that are no photos by their extension, counted by it.
    """

    photos: list[FoundPhoto] = field(default_factory=list)
    unnameable: list[Path] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    left_alone: Counter[str] = field(default_factory=Counter)


def archive_among(paths: Sequence[Path]) -> Path | None:
    """The archive, where the paths are one archive by its name; None where they hold none.

    Raises:
        InvalidInput: `archive_alone`, when there is anything beside it.
    """
    archives = [path for path in paths if is_archive_name(path.name) and path.is_file()]
    if not archives:
        return None
    if len(paths) > 1:
        raise InvalidInput(
            "archive_alone", f"{archives[0]}: an archive makes a job of its own, give nothing beside it"
        )
    return archives[0]


def find_photos(roots: Sequence[Path], *, exclude: Sequence[Path] = (), follow: bool = True) -> Found:
    """Find every photo in files and folders.

    Args:
        roots: existing files and folders.
        exclude: folders not to look into.
        follow: whether links to folders are followed; loops are seen through either way.
    """
    found = Found()
    seen: set[tuple[int, int]] = {identity for folder in exclude if (identity := _identity(folder))}
    taken: set[str] = set()
    roots = [Path(os.path.abspath(root)) for root in roots]  # noqa: PTH100 - resolve() would follow links
    prefixes = _prefixes(roots)
    for root, prefix in zip(roots, prefixes, strict=True):
        is_folder = root.is_dir()
        for path in _walk(root, found, seen, follow=follow) if is_folder else [root]:
            if str(path) not in taken:
                taken.add(str(path))
                name = path.relative_to(root).as_posix() if is_folder else root.name
                _take(found, str(prefix / name), path)
    _keep_apart(found.photos)
    found.photos.sort(key=lambda photo: photo.custom_id)
    return found


def _prefixes(roots: Sequence[Path]) -> list[PurePosixPath]:
    """What stands before each root's names: nothing for one folder, else its own name, made unique."""
    folders = [root for root in roots if root.is_dir()]
    used: Counter[str] = Counter()
    prefixes = []
    for root in roots:
        if len(folders) < 2 or not root.is_dir():
            prefixes.append(PurePosixPath())
            continue
        used[root.name] += 1
        name = root.name if used[root.name] == 1 else f"{root.name}~{used[root.name]}"
        prefixes.append(PurePosixPath(name))
    return prefixes


def _walk(root: Path, found: Found, seen: set[tuple[int, int]], *, follow: bool) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        found.unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, folders, files in os.walk(root, onerror=unreadable, followlinks=follow):
        here = Path(folder)
        identity = _identity(here)
        if identity is None or identity in seen:
            # Been here by another way: a loop of links, a root inside a root, or the output folder.
            folders.clear()
            continue
        seen.add(identity)
        if PAGE in files:
            # The thumbnails of an earlier report are no photos.
            folders[:] = [name for name in folders if name != FOLDER]
        folders[:] = sorted(name for name in folders if not is_left_by_a_system(name))
        for name in sorted(files):
            if is_left_by_a_system(name):
                continue
            extension = extension_of(name)
            if extension in EXTENSIONS:
                yield here / name
            else:
                found.left_alone[extension or "no extension"] += 1


def _take(found: Found, custom_id: str, path: Path) -> None:
    custom_id = path_spelled_out(custom_id)
    if len(custom_id) > CUSTOM_ID_LIMIT:
        found.unnameable.append(path)
        return
    found.photos.append(FoundPhoto(custom_id, path))


def _keep_apart(photos: list[FoundPhoto]) -> None:
    """Single files of one name: the later ones are called by their folder, too, or numbered."""
    used: set[str] = set()
    for index, photo in enumerate(photos):
        custom_id, number = photo.custom_id, 1
        folder = path_spelled_out(photo.path.parent.name)
        if custom_id in used:
            custom_id = f"{folder}/{photo.custom_id}"
        while custom_id in used:
            number += 1
            custom_id = f"{folder}~{number}/{photo.custom_id}"
        used.add(custom_id)
        photos[index] = FoundPhoto(custom_id, photo.path)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
