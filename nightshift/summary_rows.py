"""A job in numbers, as lines for a person: at the end of a run, and whenever it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from nightshift.client import Client
from nightshift.screen import cell
from nightshift.words.analysis import DOUBTS
from nightshift.words.documents import FACES_ARE_NOT_PEOPLE, Photo, Summary
from nightshift.words.plain_text import counted, plain

NAMES_SHOWN = 10


def first_failures(client: Client, summary: Summary, job_id: str) -> dict[str, list[Photo]]:
    """Up to ten failed photos of each code."""
    failed = {}
    for code in summary.failures:
        photos = client.photos(job_id, status="failed", code=code, limit=NAMES_SHOWN)
        failed[code] = [photo for photo, _ in zip(photos, range(NAMES_SHOWN), strict=False)]
    return failed


def summary_table() -> Table:
    """Two columns: what, and how much."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def add_summary(table: Table, summary: Summary, failed: Mapping[str, Sequence[Photo]]) -> None:
    """Add photos, faces and failures, these by their reason with the first names."""
    counts = summary.photos
    done = [f"{counts.succeeded:,} succeeded", *_if(counts.failed, "failed")]
    done += [*_if(counts.cancelled, "cancelled"), *_if(summary.reused, "reused from earlier runs")]
    if summary.duplicates:
        done.append(f"{counted(summary.duplicates, 'duplicate')} within this run")
    table.add_row("Photos", f"{counts.total:,}: {', '.join(done)}")
    faces = [f"{summary.faces:,}"]
    if summary.no_face:
        faces.append(f"none in {counted(summary.no_face, 'photo')}")
    table.add_row("Faces", ", ".join(faces))
    if summary.faces:
        table.add_row("Gender*", cell(_spread(summary.gender.model_dump())))
        table.add_row("Age group*", cell(_spread(summary.age_group)))
    if summary.uncertain:
        table.add_row("Uncertain", cell(_uncertain(summary)))
    add_failures(table, summary, failed)


def add_failures(table: Table, summary: Summary, failed: Mapping[str, Sequence[Photo]]) -> None:
    """Add a row for each reason, with the first names."""
    for code, number in summary.failures.items():
        table.add_row(cell(f"Failed: {code}", "red"), _names(failed.get(code, []), number))


def print_summary(table: Table, summary: Summary, console: Console) -> None:
    """Print it, with how gender and age are meant."""
    console.print(table, highlight=False)
    if summary.faces:
        notice = summary.notice or "Gender and age are apparent."
        console.print(cell(f"* {notice} {FACES_ARE_NOT_PEOPLE}", "dim"), highlight=False)


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
    return Text("\n".join([*lines, *more(number - len(lines))]))


def more(number: int) -> list[str]:
    """The line below a list that is not whole."""
    return [f"and {number:,} more"] if number > 0 else []
