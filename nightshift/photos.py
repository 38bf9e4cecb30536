"""Which files a run is about, and the names they go by."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from nightshift.machine.home import is_home
from nightshift.report_page.page import FOLDER, PAGE
from nightshift.words.archive_kinds import kind_of_archive_file
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.left_alone import in_short, what_to_do
from nightshift.words.pairs import RAW_LEFT, Pairs, PairsWish, raw_files_of
from nightshift.words.photo_names import is_too_long, path_spelled_out
from nightshift.words.plain_text import counted
from nightshift.words.signatures import BEGINNING_BYTES, kind_of_file
from nightshift.words.what_is_taken import (
    ARCHIVE_EXTENSIONS,
    counted_as,
    extension_of,
    is_taken_by_its_name,
    left_alone_as,
    left_alone_for_its_place,
)

READ_AT_ONCE = 16
"""Files whose first bytes are read at the same time: on a network share, each costs a way there and back."""

OF_A_HOME = "of a Nightshift home"
"""The word that a home's folder is counted under."""


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A file, its name in the job, and the given folder or file that it was found under.

    The name is the path relative to that folder, with `/`; of several folders, behind its name.
    """

    custom_id: str
    path: Path
    root: Path


@dataclass(slots=True)
class Found:
    """What lies under the given paths.

    Attributes:
        photos: sorted by custom_id, each file once.
        unnameable: photos whose name no job can hold, and that name; they are not taken.
        unreadable: folders that could not be looked into, with the reason.
        left_alone: files that are no photos, counted by their extension, and folders of systems and photo
            programs, by what they are.
        raw_files: of photos, by their paths: the names of raw files beside them that belong to them.
    """

    photos: list[FoundPhoto] = field(default_factory=list)
    unnameable: dict[Path, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    left_alone: Counter[str] = field(default_factory=Counter)
    raw_files: dict[Path, list[str]] = field(default_factory=dict)

    def leave(self, word: str) -> None:
        """Count something that is left alone; without a word it is not counted."""
        if word:
            counted_as(self.left_alone, word)

    def pairs(self) -> list[tuple[str, str]]:
        """Names of photos, each with that of a raw file that belongs to it and was left alone."""
        return [
            (photo.custom_id, path_spelled_out(str(PurePosixPath(photo.custom_id).with_name(raw))))
            for photo in self.photos
            for raw in self.raw_files.get(photo.path, ())
        ]

    def others(self) -> str:
        """Such as ` (12 other files left alone: 10 videos, 2 .txt)`."""
        return in_short(self.left_alone)

    def tell(self, say: Callable[[str], None]) -> None:
        """Say how many photos there are, and of what was left alone what to do with it instead."""
        more = what_to_do(self.left_alone)
        say("\n".join([f"{counted(len(self.photos), 'photo')}{self.others()}", *more]))


def archive_among(paths: Sequence[Path]) -> Path | None:
    """The archive, where the paths are one archive; None where they hold none.

    Raises:
        InvalidInput: `archive_alone`, when there is anything beside it; `unsupported_archive` for one that is
            not read, which is better told before it is sent; `nightshift_home`, as `find_photos`.
    """
    archives = [path for path in paths if _is_archive(path)]
    if not archives:
        return None
    if len(paths) > 1:
        raise InvalidInput(
            Code.ARCHIVE_ALONE, f"{archives[0]}: an archive makes a job of its own, give nothing beside it"
        )
    _refuse_home(archives[0])
    try:
        with archives[0].open("rb") as file:
            if file.read(1):
                kind_of_archive_file(file)
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{archives[0]}: {error.message}") from error
    except OSError:
        pass  # told when it is sent
    return archives[0]


def _is_archive(path: Path) -> bool:
    """By its first bytes; where they say nothing, by its name."""
    if is_taken_by_its_name(path.name) or not path.is_file():
        return False
    kind = kind_of_file(_beginning(path) or b"", extension_of(path.name))
    return kind.sort == "archive" if kind else extension_of(path.name) in ARCHIVE_EXTENSIONS


def find_photos(
    roots: Sequence[Path],
    *,
    exclude: Sequence[Path] = (),
    follow: bool = True,
    pairs: PairsWish = "one",
) -> Found:
    """Find every photo in files and folders.

    Args:
        roots: existing files and folders.
        exclude: folders not to look into.
        follow: whether links to folders are followed; loops are seen through either way.
        pairs: what becomes of RAW+JPEG of one name; files that are named on their own are always taken.

    Raises:
        InvalidInput: `nightshift_home`, where a root is one, or lies in one; `not_a_photo`, where it is a
            file of another kind.
    """
    for root in roots:
        _refuse_home(root)
        _refuse_other_file(root)
    found = Found()
    seen: set[tuple[int, int]] = {identity for folder in exclude if (identity := _identity(folder))}
    taken: set[str] = set()
    roots = [Path(os.path.abspath(root)) for root in roots]  # noqa: PTH100 - resolve() would follow links
    prefixes = _prefixes(roots)
    homes: dict[str, bool] = {}
    with ThreadPoolExecutor(READ_AT_ONCE, "beginnings") as pool:
        for root, prefix in zip(roots, prefixes, strict=True):
            is_folder = root.is_dir()
            walk = _walk(root, found, seen, homes, pool, follow=follow, pairs=pairs)
            for path in walk if is_folder else [root]:
                if str(path) not in taken:
                    taken.add(str(path))
                    name = path.relative_to(root).as_posix() if is_folder else root.name
                    _take(found, str(prefix / name), path, root)
    _keep_apart(found.photos)
    found.photos.sort(key=lambda photo: photo.custom_id)
    return found


def _refuse_home(root: Path) -> None:
    """What a home holds was sent there before, or was made there."""
    real = Path(os.path.realpath(root))
    if home := next(filter(is_home, (real, *real.parents)), None):
        where = "is" if home == real else f"lies in {home},"
        raise InvalidInput(
            Code.NIGHTSHIFT_HOME,
            f"{root} {where} a Nightshift home: name the folder that the photos came from",
        )


def _refuse_other_file(root: Path) -> None:
    """Who names a film, or a list, means something that will not happen; better said than found out."""
    # One that cannot be read may be a photo: it fails by its name, with the reason.
    if root.is_dir() or (beginning := _beginning(root)) is None:
        return
    if word := left_alone_as(root.name, lambda: beginning):
        advice = "".join(f"; {line.partition(': ')[2]}" for line in what_to_do({word: 1}))
        raise InvalidInput(Code.NOT_A_PHOTO, f"{root} is no photo of a format that is read{advice}")


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


def _walk(
    root: Path,
    found: Found,
    seen: set[tuple[int, int]],
    homes: dict[str, bool],
    pool: ThreadPoolExecutor,
    *,
    follow: bool,
    pairs: PairsWish,
) -> Iterator[Path]:
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
        if _lies_in_a_home(os.path.realpath(here), homes):
            found.leave(OF_A_HOME)
            folders.clear()
            continue
        if PAGE in files:
            # The thumbnails of an earlier report are no photos.
            folders[:] = [name for name in folders if name != FOLDER]
        within = here.relative_to(root).parts
        folders[:] = [name for name in sorted(folders) if _is_looked_into(found, (*within, name))]
        files = [name for name in sorted(files) if _is_looked_into(found, (*within, name))]
        undecided = [here / name for name in files if not is_taken_by_its_name(name)]
        beginnings = dict(zip(undecided, pool.map(_beginning, undecided), strict=True))
        among, left = Pairs(files), []
        for name in [name for name in files if among.would_replace(name, pairs)]:
            # Both are taken then: the sound one is analysed, and the other one fails by its name.
            if (begins := _beginning(here / name)) is not None and kind_of_file(begins) is None:
                among.leave_out(name)
        for path in map(here.joinpath, files):
            if path.is_symlink() and _lies_in_a_home(os.path.dirname(os.path.realpath(path)), homes):  # noqa: PTH120
                found.leave(OF_A_HOME)
                continue
            kind = left_alone_as(path.name, partial(beginnings.__getitem__, path))
            if kind is None and (kind := among.left_as(path.name, pairs)) == RAW_LEFT:
                left.append(path.name)
            if kind is None:
                yield path
            else:
                found.leave(kind)
        if pairs == "one":
            found.raw_files |= {here / name: raw for name, raw in raw_files_of(left, files).items()}


def _lies_in_a_home(folder: str, known: dict[str, bool]) -> bool:
    """Whether a folder, by its real path, is a home or lies in one; what is found out is put into `known`."""
    if folder not in known:
        above = os.path.dirname(folder)  # noqa: PTH120
        known[folder] = is_home(Path(folder)) or (above != folder and _lies_in_a_home(above, known))
    return known[folder]


def _is_looked_into(found: Found, parts: Sequence[str]) -> bool:
    """False, and counted, for what is nobody's photo for its place; such a folder counts as one."""
    word = left_alone_for_its_place(parts)
    if word is not None:
        found.leave(word)
    return word is None


def _beginning(path: Path) -> bytes | None:
    """The first bytes of a file; None where they cannot be read, or where it is a pipe or a device."""
    try:
        # Opening a pipe would wait for its writer.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        return os.read(fd, BEGINNING_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(fd)


def _take(found: Found, custom_id: str, path: Path, root: Path) -> None:
    custom_id = path_spelled_out(custom_id)
    if is_too_long(custom_id):
        found.unnameable[path] = custom_id
        return
    found.photos.append(FoundPhoto(custom_id, path, root))


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
        photos[index] = replace(photo, custom_id=custom_id)


def real_path(path: Path, folders: dict[Path, str]) -> Path:
    """Where a file lies, with all links followed; what is found out of its folder is put into `folders`."""
    if path.is_symlink():
        return Path(os.path.realpath(path))
    folder = path.parent
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return Path(folders[folder], path.name)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def in_place_roots(paths: Sequence[Path], real: Sequence[Path]) -> list[Path]:
    """What the user named; and, where links in it lead elsewhere, the folder that all of these are in.

    Args:
        paths: as the user named them.
        real: of the photos found there, with no link in them.
    """
    named = [Path(os.path.realpath(path)) for path in paths]
    outside = {path.parent for path in real if not any(path.is_relative_to(root) for root in named)}
    return [*paths, *([Path(os.path.commonpath(outside))] if outside else [])]
