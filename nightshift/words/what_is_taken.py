"""The one rule of what is taken for a photo, in folders and archives alike, and what is left alone, and why.

1. What systems, network storage and photo programs keep for themselves is nobody's photo.
2. A name with a photo's extension is taken at its word: what is wrong with such a file is told as a failure.
3. Of every other file the first bytes decide. A picture is taken, whatever it is called, and so is an empty
   file without an extension, which fails with its name.

A file that is sent on its own is always taken; one that is named on its own is refused where these rules tell
that it is no photo.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from nightshift.words.signatures import kind_of_file

RAW_EXTENSIONS = frozenset(
    f".{extension}"
    for extension in "cr2 cr3 crw nef nrw arw sr2 srf raf rw2 rwl orf ori dng pef srw 3fr iiq x3f".split()  # noqa: SIM905
)
"""Of cameras' raw files; others, such as `.raw`, have names that are not theirs alone."""

EXTENSIONS = RAW_EXTENSIONS | frozenset(
    f".{extension}"
    for extension in "jpg jpeg jpe jfif mpo png webp tif tiff bmp dib gif heic heif hif avif jxl".split()  # noqa: SIM905
)
"""Of the formats that are read."""

ARCHIVE_EXTENSIONS = frozenset(
    f".{extension}"
    for extension in "zip tar gz tgz bz2 tbz tbz2 xz txz zst tzst lz 7z rar cab iso jar".split()  # noqa: SIM905
)

OF_A_SYSTEM = "of a system"
HIDDEN = "hidden"
PREVIEWS = "previews of a photo library"
"""Words that files are counted under which are left alone for where they lie."""

NO_EXTENSION = "no extension"
OTHERS = "others"
MOST_KINDS = 100
"""Kinds that are counted apart: who sends an archive chooses its extensions."""

TRACES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
"""Left by desktops wherever they pass; so common that they are not counted, nor is what is hidden
and by its name no photo."""

SYSTEM = frozenset(
    {
        # Network storage: thumbnails, waste, snapshots.
        "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "network trash folder",
        "trashbox", "temporary items",
        # Windows, Linux, Android, old Macs.
        "$recycle.bin", "recycler", "system volume information", "found.000", "lost+found", "lost.dir",
        "ehthumbs.db", "ehthumbs_vista.db", "resource.frk", "icon\r",
    }
)  # fmt: skip

LIBRARIES = (".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".migratedaplibrary")
ORIGINALS = frozenset({"originals", "masters", "modified"})
"""What in a Photos, iPhoto or Aperture library is the photographer's; all else is made from it."""

PREVIEW_FOLDERS = (".lrdata", ".lrcat-data", ".cocatalogdb")
PREVIEW_PAIRS = frozenset(
    {
        ("resources", "derivatives"),
        ("resources", "renders"),
        ("resources", "proxies"),
        ("captureone", "cache"),
        ("captureone", "thumbnails"),
    }
)
_DARKTABLE = re.compile(r"mipmaps-[0-9a-f]{6,}\.d")
_NEXTCLOUD = re.compile(r"appdata_[0-9a-z]+")
CAMERA_PREVIEWS = frozenset({".thm", ".lrprev", ".ithmb"})
"""Small JPEGs that cameras and programs keep beside films and photos, under names of their own."""

_PLAIN_EXTENSION = re.compile(r"\.[0-9a-z_+-]{1,12}")


def extension_of(name: str) -> str:
    """With its dot, in lower case; empty when there is none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a million Paths are slow


def left_alone_for_its_place(parts: Sequence[str]) -> str | None:
    """Why a file or folder is nobody's photo, whatever is in it; None when its place says nothing.

    Args:
        parts: of its path, from the folder that was given or the archive's top; the last is its own name.

    Returns:
        The word to count it under; empty for what is not counted.
    """
    folded = [part.casefold() for part in parts if part not in {"", ".", "..", "/"}]
    for part in folded:
        if part in TRACES or part.startswith("."):
            # A photo that somebody may miss. Macs leave `._IMG_1.jpg` beside each file, which is none.
            is_missed = part is folded[-1] and is_taken_by_its_name(part) and not part.startswith("._")
            return HIDDEN if is_missed else ""
        if part in SYSTEM:
            return OF_A_SYSTEM
        if part.endswith(PREVIEW_FOLDERS) or _DARKTABLE.fullmatch(part):
            return PREVIEWS
    for part, inner in pairwise(folded):
        in_library = part.endswith(LIBRARIES) or part == "iphoto library"
        if (in_library and inner not in ORIGINALS) or (part, inner) in PREVIEW_PAIRS:
            return PREVIEWS
        if inner == "preview" and _NEXTCLOUD.fullmatch(part):
            return PREVIEWS
    return PREVIEWS if folded and extension_of(folded[-1]) in CAMERA_PREVIEWS else None


def is_taken_by_its_name(name: str) -> bool:
    """Whether the name alone says that a file is meant to be a photo, so that nothing need be read."""
    return extension_of(name) in EXTENSIONS


def is_a_picture(name: str, beginning: bytes) -> bool:
    """Whether a file is a picture of a format that is read, by its first bytes."""
    kind = kind_of_file(beginning, extension_of(name))
    return kind is not None and kind.sort in ("picture", "raw")


def left_alone_as(name: str, beginning: Callable[[], bytes | None]) -> str | None:
    """The word to count a file under that is left alone; None for one that is taken as a photo.

    Args:
        name: of the file, without its folders; they have been looked at.
        beginning: gives its first bytes, None where it cannot be read; called if the name leaves it open.
    """
    if is_taken_by_its_name(name):
        return None
    first = beginning()
    if is_a_picture(name, first or b""):
        return None
    extension = extension_of(name)
    if not extension:
        # Of an empty one nothing says that it is no photo: it fails, with its name.
        return None if first == b"" else NO_EXTENSION
    return extension if _PLAIN_EXTENSION.fullmatch(extension) else OTHERS


def counted_as(counts: dict[str, int], word: str) -> None:
    """Count a file that is left alone, under `others` when there are many kinds of them."""
    if word not in counts and len(counts) >= MOST_KINDS:
        word = OTHERS
    counts[word] = counts.get(word, 0) + 1
