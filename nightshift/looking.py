"""The commands that look at jobs of a server: status, summary, failures, wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from nightshift.client import Client
from nightshift.exits import exit_for_outcome, say
from nightshift.progress import JobProgress, rate_of, time_left
from nightshift.screen import bare_table, cell, errors_screen, tables_screen, tell_json
from nightshift.summary_rows import add_failures, add_summary, first_failures, print_summary, summary_table
from nightshift.waiting import GIVE_UP_S, LOOK_S, Lookout, when_it_goes_on
from nightshift.which_job import complete
from nightshift.words.clock import local_time
from nightshift.words.documents import Job, Photo, Summary
from nightshift.words.left_alone import in_full
from nightshift.words.options import JobOptions
from nightshift.words.plain_text import counted, plain

SHOWN_JOBS = 20

WORD_S = 5.0
"""With the command's start and two long polls, this is a word on a missing worker within ten seconds."""

JOB_HELP = "The job: its id, the beginning of it, or `latest`.".replace("`", "")
JobArgument = Annotated[str, typer.Argument(help=JOB_HELP, autocompletion=complete)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(
    job: Annotated[
        str | None,
        typer.Argument(help=f"{JOB_HELP} Without one, the latest jobs are listed.", autocompletion=complete),
    ] = None,
    *,
    client: Client,
    as_json: JsonOption = False,
) -> None:
    """Show how far a job is, with its rate, its options and its failures by reason, or the latest jobs."""
    if job is not None:
        found = client.job(job)
        if as_json:
            tell_json(found.model_dump(mode="json"))
        else:
            summary = client.summary(found.id)
            tables_screen().print(_standing(found, summary, first_failures(client, summary, found.id)))
        return
    jobs = [listed for listed, _ in zip(client.jobs(), range(SHOWN_JOBS), strict=False)]
    if as_json:
        tell_json([listed.model_dump(mode="json") for listed in jobs])
    elif jobs:
        tables_screen().print(_list(jobs))
    else:
        say("there is no job yet; `nightshift submit FOLDER` makes one")


def summary(job: JobArgument, client: Client, as_json: JsonOption = False) -> None:
    """Show the results of a job in numbers, as far as there are any."""
    found = client.summary(job)
    if as_json:
        tell_json(found.model_dump(mode="json"))
        return
    table = summary_table()
    add_summary(table, found, first_failures(client, found, job))
    print_summary(table, found, tables_screen())


def failures(
    job: JobArgument,
    client: Client,
    code: Annotated[str | None, typer.Option(help="Only photos that failed with this error code.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List every photo that failed: its name, its error code and the reason, parted by tabs.

    With --json, each in a line of JSON.
    """
    for photo in client.photos(job, status="failed", code=code):
        if as_json:
            tell_json(photo.model_dump(mode="json"))
        else:
            typer.echo("\t".join(plain(text) for text in _failure(photo)))


def wait(job: JobArgument, client: Client, as_json: JsonOption = False) -> None:
    """Wait for the end of a job; the exit code tells how it was."""
    ended = wait_for(client, job, errors_screen())
    if as_json:
        tell_json(ended.model_dump(mode="json"))
    raise typer.Exit(exit_for_outcome(ended.outcome))


COMMANDS = (status, summary, failures, wait)


def wait_for(client: Client, job_id: str, console: Console) -> Job:
    """The job at its end; meanwhile how far it is is shown, and why it gets nowhere where it does not.

    Raises:
        NightshiftError: `gave_up`.
    """
    job = None
    with JobProgress(console) as progress:
        for job in client.poll(
            job_id, wait_s=LOOK_S, lookout=Lookout(say, word_s=WORD_S, give_up_s=GIVE_UP_S)
        ):
            progress.show(job)
    assert job is not None  # noqa: S101 - poll yields at least once
    return job


def _failure(photo: Photo) -> tuple[str, str, str]:
    error = photo.error
    return photo.custom_id, error.code if error else "", error.message if error else ""


def _standing(job: Job, summary: Summary, failed: dict[str, list[Photo]]) -> Table:
    table = summary_table()
    for name, value in _lines(job, summary):
        table.add_row(name, cell(value))
    add_failures(table, summary, failed)
    for number, line in enumerate(in_full(job.archive.left_alone) if job.archive else []):
        table.add_row("" if number else "Left alone", cell(line))
    return table


def _lines(job: Job, summary: Summary) -> Iterator[tuple[str, str]]:
    yield "Job", job.id + (f"   {job.label}" if job.label else "")
    held = f", waits until {when_it_goes_on(job)}" if job.waits_until else ""
    yield "State", f"{job.state}: {job.outcome}" if job.outcome else f"{job.state}{held}"
    if job.error:
        yield "Because", f"{job.error.message} ({job.error.code})"
    counts = job.counts
    parts = [f"{counts.final:,} of {counts.total:,} done", f"{counts.succeeded:,} succeeded"]
    parts += [f"{counts.failed:,} failed"] if counts.failed else []
    parts += [f"{counts.cancelled:,} cancelled"] if counts.cancelled else []
    yield "Photos", ", ".join(parts)
    none = f", none in {counted(summary.no_face, 'photo')}" if summary.no_face else ""
    yield "Faces", f"{job.faces:,}{none}"
    if rate := job.photos_per_second:
        left = time_left(job)
        yield "Rate", rate_of(rate) + (f", {left} left" if left else "")
    if job.eta and not job.ended:
        yield "Ends", f"about {local_time(job.eta)}"
    yield "Options", _options(job.options)
    if limits := _limits(job):
        yield "Limits", limits
    if job.notify_disabled:
        yield "Not told", ", ".join(f"{url} (has answered 410)" for url in job.notify_disabled)
    yield "Weights", job.bundle.name
    times = {"made": job.created_at, "begun": job.started_at, "ended": job.ended_at}
    times["kept until"] = job.results_expire_at
    yield "Times", ", ".join(f"{word} {local_time(at)}" for word, at in times.items() if at)


def _options(options: JobOptions) -> str:
    """Those that are not as they come; `as they come` where all are."""
    usual = JobOptions().model_dump()
    chosen = [f"{name} {value}" for name, value in options.model_dump().items() if usual.get(name) != value]
    return ", ".join(chosen) or "as they come"


def _limits(job: Job) -> str:
    parts = [f"priority {job.priority}"] if job.priority else []
    parts += [f"only {job.processing_window}"] if job.processing_window else []
    parts += [f"until {local_time(job.deadline)}"] if job.deadline else []
    if job.max_failure_rate is not None:
        parts.append(f"stops when more than {job.max_failure_rate:.0%} have failed")
    return ", ".join(parts)


def _list(jobs: Sequence[Job]) -> Table:
    table = bare_table()
    table.add_column("JOB", overflow="fold", min_width=max((len(job.id) for job in jobs), default=0))
    several = len({job.owner for job in jobs}) > 1
    for heading in (*(["OWNER"] if several else []), "STATE", "DONE", "FAILED", "FACES", "CREATED", "LABEL"):
        table.add_column(heading, justify="right" if heading in {"FAILED", "FACES"} else "left")
    for job in jobs:
        table.add_row(
            cell(job.id),
            *([cell(job.owner)] if several else []),
            cell(f"{job.state}: {job.outcome}" if job.outcome else job.state),
            f"{job.counts.final} of {job.counts.total}",
            str(job.counts.failed),
            str(job.faces),
            local_time(job.created_at, zone=False),
            cell(job.label or ""),
        )
    return table
