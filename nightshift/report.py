"""What a run leaves: the two results files, the page, and the summary on standard output."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightshift.client import Client, ResultsFormat
from nightshift.exits import Exit
from nightshift.machine.whole_files import replacing
from nightshift.report_page.page import write_page
from nightshift.screen import cell
from nightshift.words.analysis import DOUBTS
from nightshift.words.documents import Job, Photo, Summary
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput, NightshiftError
from nightshift.words.photo_names import path_spelled_out, spelled_out
from nightshift.words.plain_text import plain

NAMES_SHOWN = 10
RESULTS_FOLDER = "nightshift-results"


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
            "gender": self.summary.gender.model_dump(),
            "age_group": self.summary.age_group,
            "failures": self.summary.failures,
            "left_out": [path_spelled_out(path) for path in self.left_out],
            "unreadable": [spelled_out(reason) for reason in self.unreadable],
            "left_alone": dict(self.job.archive.left_alone if self.job.archive else self.left_alone),
            "files": {kind: path_spelled_out(path) for kind, path in self.files.items()},
            "seconds": round(self.seconds, 2),
            "photos_per_second": self.job.photos_per_second,
            "bundle": self.job.bundle.model_dump(),
            "commercial_use": self.summary.commercial_use.model_dump(),
            "notice": self.summary.notice,
        }


def first_failures(client: Client, summary: Summary, job_id: str) -> dict[str, list[Photo]]:
    """Up to ten failed photos of each code."""
    failed = {}
    for code in summary.failures:
        photos = client.photos(job_id, status="failed", code=code, limit=NAMES_SHOWN)
        failed[code] = [photo for photo, _ in zip(photos, range(NAMES_SHOWN), strict=False)]
    return failed


def default_out(paths: Sequence[Path]) -> Path:
    """`nightshift-results/NAME` in the current folder, NAME being that of the first folder or file."""
    return Path.cwd() / RESULTS_FOLDER / (paths[0].name or "all")


def check_writable(folder: Path) -> None:
    """Find out before the work, not after it, that the results have no place.

    Raises:
        InvalidInput: `bad_out`.
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInput(Code.BAD_OUT, f"--out {folder}: {there} cannot be written to")


def write_results(client: Client, job_id: str, folder: Path) -> dict[str, Path]:
    """Write `results.jsonl` and `results.csv`, each whole or not at all.

    Raises:
        NightshiftError: `results_not_written`.
    """
    files: dict[str, Path] = {}
    kinds: tuple[ResultsFormat, ...] = get_args(ResultsFormat)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            files[kind] = folder / f"results.{kind}"
            with replacing(files[kind]) as file:
                client.save_results(job_id, file, format=kind)
    except OSError as error:
        raise NightshiftError(
            Code.RESULTS_NOT_WRITTEN,
            f"{folder}: {error.strerror}. What was found is kept: run again with another --out",
        ) from error
    return files


def write_pairs(pairs: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Write `pairs.jsonl`: a line for each photo to which a raw file belongs.

    Raises:
        NightshiftError: `results_not_written`.
    """
    path = folder / "pairs.jsonl"
    lines = (json.dumps({"custom_id": photo, "raw_file": raw}, ensure_ascii=False) for photo, raw in pairs)
    try:
        with replacing(path) as file:
            file.writelines(f"{line}\n".encode() for line in lines)
    except OSError as error:
        raise NightshiftError(Code.RESULTS_NOT_WRITTEN, f"{folder}: {error.strerror}") from error
    return path


def write_report(client: Client, job: Job, folder: Path) -> Path:
    """Write `report.html` and `report_files/`; an earlier report is replaced by a whole one, or left.

    Raises:
        NightshiftError: `report_not_written`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return write_page(
            folder,
            job=job,
            summary=client.summary(job.id),
            thumbnails=client.thumbnails(job.id),
            photos=client.results(job.id),
        )
    except OSError as error:
        raise NightshiftError(Code.REPORT_NOT_WRITTEN, f"{folder}: {error.strerror}") from error


def print_report(report: Report, console: Console) -> None:
    """The summary for a person."""
    summary, counts = report.summary, report.summary.photos
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")

    done = [f"{counts.succeeded:,} succeeded", *_if(counts.failed, "failed")]
    done += [*_if(counts.cancelled, "cancelled"), *_if(summary.reused, "reused from earlier runs")]
    table.add_row("Photos", f"{counts.total:,}: {', '.join(done)}")
    faces = [f"{summary.faces:,}"]
    if summary.no_face:
        faces.append(f"none in {summary.no_face:,} {'photo' if summary.no_face == 1 else 'photos'}")
    table.add_row("Faces", ", ".join(faces))
    if summary.faces:
        table.add_row("Gender*", cell(_spread(summary.gender.model_dump())))
        table.add_row("Age group*", cell(_spread(summary.age_group)))
    if summary.uncertain:
        table.add_row("Uncertain", cell(_uncertain(summary)))
    for code, number in summary.failures.items():
        table.add_row(cell(f"Failed: {code}", "red"), _names(report.failed.get(code, []), number))
    if report.job.archive and report.job.archive.left_alone:
        table.add_row(
            "Left alone", cell(f"in the archive, no photos: {_spread(report.job.archive.left_alone)}")
        )
    if report.left_out:
        table.add_row(cell("Not taken", "red"), _paths(report.left_out))
    if report.unreadable:
        shown = [plain(reason) for reason in report.unreadable[:NAMES_SHOWN]]
        shown += _more(len(report.unreadable) - len(shown))
        table.add_row(cell("Not looked into", "red"), Text("\n".join(shown)))
    for kind, path in report.files.items():
        table.add_row(
            {"jsonl": "Results", "report": "Report", "pairs": "Pairs"}.get(kind, ""),
            cell(path_spelled_out(path)),
        )
    use = summary.commercial_use
    table.add_row("Weights", cell(f"{report.job.bundle.name}; commercial use: {use.allowed} ({use.reason})"))
    rate = f", {report.job.photos_per_second:.1f} photos/s" if report.job.photos_per_second else ""
    table.add_row("Time", f"{timedelta(seconds=round(report.seconds))}{rate}")
    console.print(table, highlight=False)
    if summary.faces:
        console.print(cell(f"* {summary.notice or 'Gender and age are apparent.'}", "dim"), highlight=False)


def _if(number: int, what: str) -> list[str]:
    return [f"{number:,} {what}"] if number else []


def _spread(numbers: dict[str, int]) -> str:
    return "   ".join(f"{name}: {number:,}" for name, number in numbers.items() if number)


def _uncertain(summary: Summary) -> str:
    """Such as `gender: 1   age group: 7   (close call: 6   too small: 2)`."""
    labels = {"gender": summary.uncertain_gender, "age group": summary.uncertain_age_group}
    because = {DOUBTS.get(reason, reason): faces for reason, faces in summary.uncertain_because.items()}
    return _spread(labels) + (f"   ({_spread(because)})" if because else "")


def _names(photos: Sequence[Photo], number: int) -> Text:
    lines = [plain(f"{photo.custom_id}: {photo.error.message if photo.error else ''}") for photo in photos]
    return Text("\n".join([*lines, *_more(number - len(lines))]))


def _paths(paths: Sequence[Path]) -> Text:
    shown = [plain(path_spelled_out(path)) for path in paths[:NAMES_SHOWN]]
    return Text(
        "\n".join([f"{path}: its name cannot be used" for path in shown] + _more(len(paths) - len(shown)))
    )


def _more(number: int) -> list[str]:
    return [f"and {number:,} more"] if number > 0 else []
