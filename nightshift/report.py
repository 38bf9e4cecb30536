"""What a run leaves: the results files, the page, and the summary on standard output."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast, get_args
from urllib.parse import urlsplit

from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from nightshift.client import Client, ResultsFormat
from nightshift.exits import Exit, say
from nightshift.machine.loopback import is_loopback
from nightshift.machine.whole_files import replacing
from nightshift.report_page.page import write_page
from nightshift.results_folder import FILES, Note
from nightshift.screen import cell
from nightshift.summary_rows import NAMES_SHOWN, add_summary, more, print_summary, summary_table
from nightshift.table_files import is_made, save_table
from nightshift.words.documents import Job, Photo, Summary
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from nightshift.words.left_alone import by_kind, in_full
from nightshift.words.options import PREVIEW_PX
from nightshift.words.photo_names import path_spelled_out, spelled_out
from nightshift.words.plain_text import counted, plain

BYTES_A_PHOTO, BYTES_A_THUMBNAIL = 8_000, 12_000
"""What results and report take of a disk, about: of photos with two faces."""


@dataclass(frozen=True, slots=True)
class Report:
    """An ended run.

    Attributes:
        job: as it ended.
        summary: of its faces and failures.
        failed: the first failed photos of each code.
        files: results by format, and the page as `report`.
        exit: the command's exit code.
        left_out: photos that no job could take.
        left_alone: files in the folders that were not taken, counted by what they are.
        unreadable: folders that could not be looked into, with the reason.
        seconds: from the command's start to its end.
    """

    job: Job
    summary: Summary
    failed: dict[str, list[Photo]]
    files: dict[str, Path]
    exit: Exit
    left_out: Sequence[Path] = ()
    left_alone: Mapping[str, int] = field(default_factory=dict)
    unreadable: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def all_left_alone(self) -> Mapping[str, int]:
        """In the folders, or in the archive: a run has the one or the other."""
        return self.job.archive.left_alone if self.job.archive else self.left_alone

    @property
    def beside(self) -> list[tuple[str, str]]:
        """What was found beside the photos, as what became of it and which."""
        return [
            *(("Left alone", line) for line in in_full(self.all_left_alone)),
            *(("Not taken", f"{path_spelled_out(path)}: its name cannot be used") for path in self.left_out),
            *(("Not looked into", spelled_out(reason)) for reason in self.unreadable),
        ]

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        return {
            "job_id": self.job.id,
            "outcome": self.job.outcome,
            "exit_code": int(self.exit),
            "counts": self.summary.photos.model_dump(),
            "faces": self.summary.faces,
            "no_face": self.summary.no_face,
            "uncertain": self.summary.uncertain,
            "uncertain_gender": self.summary.uncertain_gender,
            "uncertain_age_group": self.summary.uncertain_age_group,
            "uncertain_because": self.summary.uncertain_because,
            "reused": self.summary.reused,
            "duplicates": self.summary.duplicates,
            "gender": self.summary.gender.model_dump(),
            "age_group": self.summary.age_group,
            "failures": self.summary.failures,
            "left_out": [path_spelled_out(path) for path in self.left_out],
            "unreadable": [spelled_out(reason) for reason in self.unreadable],
            "left_alone": dict(self.all_left_alone),
            "left_alone_by_kind": by_kind(self.all_left_alone),
            "files": {kind: path_spelled_out(path) for kind, path in self.files.items()},
            "seconds": round(self.seconds, 2),
            "photos_per_second": self.job.photos_per_second,
            "bundle": self.job.bundle.model_dump(),
            "commercial_use": self.summary.commercial_use.model_dump(),
            "notice": self.summary.notice,
        }


def check_writable(folder: Path) -> None:
    """Find out before the work, not after it, that the results have no place: write, and take it away again.

    Raises:
        InvalidInput: `bad_out`.
    """
    there = _nearest(folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with NamedTemporaryFile(dir=there, prefix=".nightshift-") as file:
            file.write(bytes(4096))
            file.flush()
        for place in (folder, *(there / name for name in folder.relative_to(there).parts)):
            _check_names(place)
    except OSError as error:
        why = f"{there} cannot be written to: {error.strerror}"
        raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {why}") from error


def check_room(folder: Path, photos: int, *, page: bool, preview_px: int = PREVIEW_PX) -> None:
    """Find out before the work that the disk has no room for the results of so many photos.

    Args:
        folder: where they go.
        photos: how many.
        page: whether there is a report, with its previews.
        preview_px: their longest side.

    Raises:
        InvalidInput: `bad_out`.
    """
    preview = round(BYTES_A_THUMBNAIL * (preview_px / PREVIEW_PX) ** 2)
    needed = photos * (BYTES_A_PHOTO + (preview if page else 0))
    left = shutil.disk_usage(_nearest(folder)).free
    if left < needed:
        what = f"its disk has {decimal(left)} left, and results take about {decimal(needed)}"
        raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {what}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return next(place for place in (folder, *folder.parents) if os.path.exists(place))  # noqa: PTH110


def _check_names(path: Path) -> None:
    """Whether a path, and the last name in it, which may still be to be made, is one that the disk can hold.

    Raises:
        OSError: it is too long.
    """
    with suppress(FileNotFoundError):
        path.lstat()


def write_results(
    client: Client, job_id: str, folder: Path, *, also: Sequence[str] = (), note: Note | None = None
) -> dict[str, Path]:
    """Write the results in each form that a server has, each file whole or not at all.

    Args:
        client: of the server.
        job_id: whose they are.
        folder: where to.
        also: further forms, of `MadeFormat`.
        note: written beside them, after each with what it now holds.

    Returns:
        The files by their form.

    Raises:
        NightshiftError: `results_not_written`, and what `save_table` raises.
    """
    files: dict[str, Path] = {}
    served: tuple[ResultsFormat, ...] = get_args(ResultsFormat)
    wanted = {*served, *also}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        note = note and note.over(folder)
        for kind in (kind for kind in FILES if kind in wanted):
            files[kind] = folder / FILES[kind]
            with replacing(files[kind]) as file:
                save_form(client, job_id, file, kind)
            if note:
                note = note.with_file(files[kind])
                note.write(folder)
    except OSError as error:
        raise NightshiftError(
            Code.RESULTS_NOT_WRITTEN,
            f"{folder}: {error.strerror}. What was found is kept: run again with another --out",
        ) from error
    return files


def save_form(client: Client, job_id: str, file: BinaryIO, kind: str) -> None:
    """Write the results in one form, whoever makes it."""
    if is_made(kind):
        save_table(client, job_id, file, kind)
    else:
        client.save_results(job_id, file, format=cast(ResultsFormat, kind))


def write_pairs(pairs: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Write `pairs.jsonl`, a line for each photo to which a raw file belongs, and note it as the run's.

    Raises:
        NightshiftError: `results_not_written`.
    """
    path = folder / FILES["pairs"]
    lines = (json.dumps({"custom_id": photo, "raw_file": raw}, ensure_ascii=False) for photo, raw in pairs)
    try:
        with replacing(path) as file:
            file.writelines(f"{line}\n".encode() for line in lines)
        if note := Note.read(folder):
            note.with_file(path).write(folder)
    except OSError as error:
        raise NightshiftError(Code.RESULTS_NOT_WRITTEN, f"{folder}: {error.strerror}") from error
    return path


def write_report(client: Client, job: Job, folder: Path, beside: Sequence[tuple[str, str]] = ()) -> Path:
    """Write `report.html` and `report_files/`; an earlier report is replaced by a whole one, or left.

    Args:
        client: of the server.
        job: as it is now.
        folder: where to.
        beside: see `write_page`.

    Raises:
        NightshiftError: `report_not_written`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        summary = client.summary(job.id)
        page = write_page(
            folder,
            job=job,
            summary=summary,
            thumbnails=client.thumbnails(job.id),
            photos=client.results(job.id),
            # Another machine's paths may name other files here.
            originals=is_loopback(urlsplit(client.server).hostname),
            beside=beside,
        )
        note = Note.read(folder)
        if note is None or note.job_id != job.id:
            note = Note.of(job, summary).over(folder)
        note.with_file(page).write(folder)
        return page
    except OSError as error:
        raise NightshiftError(Code.REPORT_NOT_WRITTEN, f"{folder}: {error.strerror}") from error


def add_page(client: Client, report: Report, out: Path) -> Report:
    """Write the page, last, and never at the cost of the results, which are written by now.

    Returns:
        The report with the page among its files; without it, with the exit code that tells a script so.
    """
    try:
        page = write_report(client, report.job, out, report.beside)
    except NightshiftError as error:
        say(f"the results are written, but the report is not: {error}; run again with another --out")
        return replace(report, exit=Exit.OUTPUT_LOST) if report.exit == Exit.SUCCEEDED else report
    return replace(report, files={**report.files, "report": page})


def print_report(report: Report, console: Console) -> None:
    """The summary for a person."""
    summary = report.summary
    table = summary_table()
    add_summary(table, summary, report.failed)
    if report.all_left_alone:
        lines = map(plain, in_full(report.all_left_alone))
        table.add_row("Left alone", Text("\n".join(lines)))
    if report.left_out:
        table.add_row(cell("Not taken", "red"), _paths(report.left_out))
    if report.unreadable:
        shown = [plain(reason) for reason in report.unreadable[:NAMES_SHOWN]]
        shown += more(len(report.unreadable) - len(shown))
        table.add_row(cell("Not looked into", "red"), Text("\n".join(shown)))
    for kind, path in report.files.items():
        until = "   (the two tables in one, as they once were: for one more release)" if kind == "csv" else ""
        name = {"jsonl": "Results", "report": "Report", "pairs": "Pairs"}.get(kind, "")
        table.add_row(name, cell(path_spelled_out(path) + until))
    use = summary.commercial_use
    table.add_row("Weights", cell(f"{report.job.bundle.name}; commercial use: {use.allowed} ({use.reason})"))
    # From the first photo on: the start and the writing are in the time, and not in the rate.
    rate = f", {report.job.photos_per_second:.1f} photos/s at work" if report.job.photos_per_second else ""
    table.add_row("Time", f"{timedelta(seconds=round(report.seconds))}{rate}")
    if report.exit == Exit.PARTIAL:
        table.add_row("Ended", f"{_shortfall(report)}; all else is written (exit code {report.exit:d})")
    print_summary(table, summary, console)


def _shortfall(report: Report) -> str:
    """Such as `2 of 6 photos failed`."""
    counts, parts = report.summary.photos, []
    if counts.failed:
        parts.append(f"{counts.failed:,} of {counted(counts.total, 'photo')} failed")
    if report.left_out:
        parts.append(f"{counted(len(report.left_out), 'photo')} could not be taken")
    if report.unreadable:
        parts.append(f"{counted(len(report.unreadable), 'folder')} could not be looked into")
    return ", ".join(parts) or "not every photo succeeded"


def _paths(paths: Sequence[Path]) -> Text:
    shown = [plain(path_spelled_out(path)) for path in paths[:NAMES_SHOWN]]
    return Text(
        "\n".join([f"{path}: its name cannot be used" for path in shown] + more(len(paths) - len(shown)))
    )
