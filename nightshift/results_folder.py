"""A folder of results: whose they are, and whether a run may put its own in their place.

Beside its files a run leaves a note, `nightshift.json`: what it was, and which bytes it wrote. Results may be
replaced where they are as a run wrote them and each of their photos is among the new run's. Whatever else is
there lies in the way.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Self

from nightshift.machine.places import path_as_text
from nightshift.machine.whole_files import replacing
from nightshift.photos import FoundPhoto, real_path
from nightshift.report_page.page import PAGE
from nightshift.words.documents import Job, Summary
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.tables import FORMAT_VERSION
from nightshift.words.version import VERSION

NOTE = "nightshift.json"
JSON_LINES = "results.jsonl"
FILES = {
    "jsonl": JSON_LINES,
    "photos.csv": "photos.csv",
    "faces.csv": "faces.csv",
    "low-confidence-faces.csv": "low-confidence-faces.csv",
    "photos.parquet": "photos.parquet",
    "faces.parquet": "faces.parquet",
    "low-confidence-faces.parquet": "low-confidence-faces.parquet",
    "xlsx": "results.xlsx",
    "csv": "results.csv",
    "pairs": "pairs.jsonl",
    "report": PAGE,
}
"""Names of the files by what is in them."""

HASHED = 5
"""Photos of the results in the way whose bytes are looked at: another card may have the same names."""

RESULTS_FOLDER = "nightshift-results"

_LONGEST_NAME = 200
"""Bytes of a name that are kept in that of a folder, which has 255 at most: a date and a number follow."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a run leaves beside its results.

    Attributes:
        job_id: its job.
        paths: over which it went, as text.
        given: size in bytes and time of change, ns, of those that are files.
        files: sha256 of what it wrote, by name.
        about: what it was, for people.
    """

    job_id: str
    paths: list[str] = field(default_factory=list)
    given: list[list[int]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, summary: Summary, paths: Sequence[Path] = ()) -> Self:
        """Of a run that has written nothing yet."""
        about = {
            **job.model_dump(mode="json", include={"created_at", "ended_at", "outcome", "bundle", "options"}),
            **summary.model_dump(mode="json", include={"photos", "faces", "thresholds", "notice"}),
        }
        return cls(job.id, [path_as_text(path) for path in paths], _given(paths), about=about)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The note in a folder; None where there is none that can be read."""
        try:
            said = json.loads((folder / NOTE).read_bytes())
            if said.pop("format_version", None) is None:
                return None
            said.pop("nightshift", None)
            note = cls(**said)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return None
        return note if isinstance(note.files, dict) else None

    def write(self, folder: Path) -> None:
        """Write it, whole."""
        said = {"nightshift": VERSION, "format_version": FORMAT_VERSION, **asdict(self)}
        with replacing(folder / NOTE) as file:
            file.write(json.dumps(said, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace"))

    def over(self, folder: Path) -> Self:
        """The same, knowing what an earlier run left there, which this one may not write again."""
        earlier = Note.read(folder)
        return replace(self, files={**earlier.files, **self.files}) if earlier else self

    def with_file(self, path: Path) -> Self:
        """The same, with a file that has just been written."""
        return replace(self, files={**self.files, path.name: _sha256(path)})


@dataclass(frozen=True, slots=True)
class Place:
    """Where results go.

    Attributes:
        folder: as it was chosen.
        before: sha256 of what lies there and may be replaced, by name.
        overwrite: whether anything may be.
    """

    folder: Path
    before: Mapping[str, str] = field(default_factory=dict)
    overwrite: bool = False

    def now(self) -> Path:
        """The folder; or, where somebody has put something there meanwhile, a new one beside it."""
        if self.overwrite or all(self.before.get(name) == said for name, said in _there(self.folder).items()):
            return self.folder
        return free(self.folder)


def default_out(paths: Sequence[Path], today: date | None = None) -> Path:
    """`nightshift-results/NAME-DATE` in the current folder, by the first path; numbered where it is taken."""
    name = paths[0].name or "all"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = os.fsencode(name)[:_LONGEST_NAME].decode(errors="ignore")
    day = today or date.today()  # noqa: DTZ011 - the user's
    return free(Path.cwd() / RESULTS_FOLDER / f"{name}-{day:%Y-%m-%d}")


def free(folder: Path) -> Path:
    """The folder, with a number behind its name where there is one."""
    number, place = 1, folder
    while os.path.lexists(place):
        number += 1
        place = folder.with_name(f"{folder.name}-{number}")
    return place


def place_for(
    folder: Path, paths: Sequence[Path], photos: Sequence[FoundPhoto], *, overwrite: bool = False
) -> Place:
    """Where a run may write its results, which is found out before it begins.

    Args:
        folder: that was chosen.
        paths: over which it goes.
        photos: that it has found; none in an archive.
        overwrite: whether it was asked to replace whatever is there.

    Raises:
        InvalidInput: `results_in_the_way`; `bad_out` where something cannot be replaced.
    """
    there, note = _there(folder), Note.read(folder)
    if overwrite:
        return Place(folder, there, overwrite)
    if note is None and os.path.lexists(folder / NOTE):
        raise _in_the_way(folder, f"{', '.join((NOTE, *there))}, not of a run")
    if not there:
        return Place(folder)
    _require_ours(folder, there)
    same = note is not None and note.paths == [path_as_text(path) for path in paths]
    if photos:
        why = _other_photos(folder, photos)
    else:
        why = "" if same and note and note.given == _given(paths) else "they are of other photos"
    if why:
        raise _in_the_way(folder, why)
    return Place(folder, there)


def place_again(folder: Path, job_id: str, paths: Sequence[Path], *, overwrite: bool = False) -> Place:
    """Where a run that is gone on with writes: it was let in when it began, by the rules of `place_for`."""
    note = Note.read(folder)
    known = note is not None and (
        note.job_id == job_id or note.paths == [path_as_text(path) for path in paths]
    )
    files = note.files if note and known else {}
    there = _there(folder)
    return Place(folder, {name: said for name, said in there.items() if files.get(name) == said}, overwrite)


def require_elsewhere(folder: Path, paths: Sequence[Path]) -> None:
    """Refuse a folder that is to be looked through: the small pictures of a report would be photos.

    Raises:
        InvalidInput: `bad_out`.
    """
    if any(folder.exists() and path.samefile(folder) for path in paths):
        raise InvalidInput(
            Code.BAD_OUT, f"--out {folder} is the folder of the photos: name one in it or elsewhere"
        )


def require_own_report(folder: Path, job_id: str) -> None:
    """Refuse a folder that has the report of another job, or one of nobody knows which.

    Raises:
        InvalidInput: `results_in_the_way`.
    """
    if not (folder / PAGE).exists():
        return
    note = Note.read(folder)
    if note is None or note.job_id != job_id:
        raise _in_the_way(folder, f"{PAGE} is of another job")


def _there(folder: Path) -> dict[str, str]:
    """Files of the names that a run writes, and their sha256.

    Raises:
        InvalidInput: `bad_out`.
    """
    found = {}
    for name in FILES.values():
        path = folder / name
        if path.is_dir():
            raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {name} is a folder")
        try:
            if path.is_file():
                found[name] = _sha256(path)
            elif os.path.lexists(path):
                # A pipe would be waited for until somebody reads from it.
                raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {name} is no file")
        except OSError as error:
            raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {name}: {error.strerror}") from error
    return found


def _require_ours(folder: Path, there: Mapping[str, str]) -> None:
    note = Note.read(folder)
    if note is None:
        raise _in_the_way(folder, f"{', '.join(there)}, and no {NOTE} that says whose they are")
    if changed := [name for name, said in there.items() if note.files.get(name) != said]:
        raise _in_the_way(folder, f"{', '.join(changed)} changed since the run that wrote it")


def _other_photos(folder: Path, photos: Sequence[FoundPhoto]) -> str:
    """Why the results are not of some of these photos; empty when they are."""
    folders: dict[Path, str] = {}
    given = {path_as_text(real_path(photo.path, folders)): photo.path for photo in photos}
    earlier: dict[str, str | None] = {}
    try:
        with (folder / JSON_LINES).open("rb") as file:
            for line in file:
                said = json.loads(line)
                earlier[said["path"]] = said["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return f"{JSON_LINES} does not say of which photos they are"
    if others := sum(path not in given for path in earlier):
        return f"they are of {others:,} photos that are not among these"
    digests = [(given[path], digest) for path, digest in earlier.items() if digest]
    for path, digest in digests[:: max(1, len(digests) // HASHED)]:
        with suppress(OSError):
            if _sha256(path) != digest:
                return f"{path_spelled_out(path)} was another photo then"
    return ""


def _in_the_way(folder: Path, why: str) -> InvalidInput:
    return InvalidInput(
        Code.RESULTS_IN_THE_WAY,
        f"{path_spelled_out(folder)} holds results: {why}. Name another --out, or replace them: --overwrite",
    )


def _given(paths: Sequence[Path]) -> list[list[int]]:
    files = [path.stat() for path in paths if path.is_file()]
    return [[file.st_size, file.st_mtime_ns] for file in files]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
