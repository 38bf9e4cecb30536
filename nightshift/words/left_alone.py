"""What was left alone, in a photographer's words: by kind, the most missed first, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nightshift.words.pairs import JPEG_LEFT, RAW_LEFT
from nightshift.words.plain_text import counted
from nightshift.words.what_is_taken import ARCHIVE_EXTENSIONS, HIDDEN, OF_A_SYSTEM, PREVIEWS


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    one: str
    many: str
    instead: str
    words: frozenset[str]


def _words(extensions: str) -> frozenset[str]:
    return frozenset(f".{extension}" for extension in extensions.split())


_KINDS = (
    _Kind(
        *("raw", RAW_LEFT, RAW_LEFT),
        "the JPEG is analysed in its place; `--pairs raw` takes the raw file, `--pairs both` the two",
        frozenset({RAW_LEFT}),
    ),
    _Kind(
        *("jpeg", JPEG_LEFT, JPEG_LEFT),
        "the raw file is analysed in its place; `--pairs one` takes the JPEG, `--pairs both` the two",
        frozenset({JPEG_LEFT}),
    ),
    _Kind(
        *("videos", "video", "videos"),
        "only photos are analysed; save the frames you need as JPEG",
        _words("mov mp4 m4v avi mkv mts m2ts 3gp 3g2 mpg mpeg wmv webm mxf insv lrv braw r3d"),
    ),
    _Kind(
        *("documents", "document", "documents"),
        "save the pictures in them as JPEG",
        _words("pdf doc docx odt ppt pptx odp pages key indd eps xps djvu"),
    ),
    _Kind(
        *("other_pictures", "picture in another format", "pictures in other formats"),
        "save them as JPEG, PNG or TIFF",
        _words(
            "psd psb xcf kra afphoto ai svg svgz exr hdr jp2 j2k jpf jpx dds tga pcx ico pbm pgm ppm pnm"
            " raw insp jxr wdp cdr ora"
        ),
    ),
    _Kind(
        *("archives", "archive", "archives"),
        "unpack it, or give each zip, tar or tar.gz on its own",
        ARCHIVE_EXTENSIONS,
    ),
    _Kind(
        *("hidden", "hidden photo", "hidden photos"),
        "its name begins with a dot: rename it without",
        frozenset({HIDDEN}),
    ),
    _Kind(*("previews", "preview of a photo library", PREVIEWS), "", frozenset({PREVIEWS})),
    _Kind(
        *("system", "file or folder of a system", "files or folders of a system"),
        "",
        frozenset({OF_A_SYSTEM}),
    ),
)
_BY_WORD = {word: kind for kind in _KINDS for word in kind.words}


def by_kind(left_alone: Mapping[str, int]) -> dict[str, int]:
    """Numbers by the name of their kind, for a script; what is no kind's is `others`."""
    numbers = {kind.name: number for kind, number, _ in _kinds(left_alone)}
    others = sum(number for word, number in left_alone.items() if word not in _BY_WORD)
    return numbers | ({"others": others} if others else {})


def in_short(left_alone: Mapping[str, int]) -> str:
    """Such as ` (12 other files left alone: 10 videos, 2 .txt)`; empty where nothing was."""
    if not left_alone:
        return ""
    parts = [counted(number, kind.one, kind.many) for kind, number, _ in _kinds(left_alone)]
    parts += [f"{number:,} {word}" for word, number in _others(left_alone)]
    more = ", ..." if len(parts) > 4 else ""
    total = counted(sum(left_alone.values()), "other file")
    return f" ({total} left alone: {', '.join(parts[:4])}{more})"


def what_to_do(left_alone: Mapping[str, int]) -> list[str]:
    """A line for each kind that somebody may have wanted, such as `3 videos (.mov): only photos ...`."""
    lines = []
    for kind, number, words in _kinds(left_alone):
        if kind.instead:
            extensions = sorted(word for word in words if word.startswith("."))
            shown = f" ({', '.join(extensions)})" if extensions else ""
            lines.append(f"{counted(number, kind.one, kind.many)}{shown}: {kind.instead}")
    return lines


def in_full(left_alone: Mapping[str, int]) -> list[str]:
    """The same, and a last line of all others."""
    others = [
        counted(number, kind.one, kind.many) for kind, number, _ in _kinds(left_alone) if not kind.instead
    ]
    others += [f"{number:,} {word}" for word, number in _others(left_alone)]
    return [*what_to_do(left_alone), *([", ".join(others)] if others else [])]


def _kinds(left_alone: Mapping[str, int]) -> Iterator[tuple[_Kind, int, list[str]]]:
    for kind in _KINDS:
        if words := [word for word in left_alone if word in kind.words]:
            yield kind, sum(left_alone[word] for word in words), words


def _others(left_alone: Mapping[str, int]) -> list[tuple[str, int]]:
    others = [(word, number) for word, number in left_alone.items() if word not in _BY_WORD]
    return sorted(others, key=lambda other: -other[1])
