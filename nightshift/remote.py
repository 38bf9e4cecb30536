"""The commands that talk to a server: submit, status, results, cancel."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from nightshift.client import Client, ResultsFormat
from nightshift.documents import Job
from nightshift.errors import ApiError, UploadCut
from nightshift.exits import Exit, exit_for_outcome, say, told
from nightshift.photos import FoundPhoto, find_photos
from nightshift.progress import JobProgress
from nightshift.report import replacing, stdout_console
from shared.errors import InvalidInput

UPLOADS = 4
"""Photos on their way at the same time; a server has eight threads by default."""

SHOWN_JOBS = 20

_BAD_PHOTO = frozenset({413, 422})
"""Answers that concern one photo and not the job."""

ServerOption = Annotated[str, typer.Option(envvar="NIGHTSHIFT_SERVER", help="The server's URL.")]
KeyOption = Annotated[
    str, typer.Option(envvar="NIGHTSHIFT_API_KEY", help="API key.", show_default=False, show_envvar=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_SERVER = "http://127.0.0.1:8080"


def add_to(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (submit, status, results, cancel):
        app.command()(told(command))


def submit(
    paths: Annotated[list[Path], typer.Argument(help="Folders, looked through to the bottom, and files.")],
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = "",
    label: Annotated[str | None, typer.Option(help="A name for the job.")] = None,
    job: Annotated[
        str | None, typer.Option(help="Go on with this job, whose upload was broken off.", show_default=False)
    ] = None,
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="Name the files instead of sending them (server on this machine)."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; the exit code tells how it was.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send photos to a server and print the job's id."""
    console = Console(stderr=True)
    photos = _find(paths)
    refused = 0
    with Client(server, api_key) as client:
        job_id = job or client.create_job(label=label).id
        try:
            if in_place:
                client.register_in_place(job_id, ((photo.custom_id, photo.path) for photo in photos))
            else:
                refused = _upload(client, job_id, photos, console)
        except BaseException:
            say(f"job {job_id} is open still: `nightshift submit --job {job_id} ...` goes on with it")
            raise
        submitted = client.submit(job_id)
        if not as_json:
            typer.echo(job_id)
        if wait:
            with JobProgress(console) as progress:
                for submitted in client.poll(job_id):
                    progress.show(submitted)
        if as_json:
            typer.echo(_as_json(submitted))
        if wait:
            code = exit_for_outcome(submitted.outcome)
            raise typer.Exit(Exit.PARTIAL if refused and code == Exit.SUCCEEDED else code)
    if refused:
        raise typer.Exit(Exit.PARTIAL)


def status(
    job: Annotated[str | None, typer.Argument(help="A job; without one, the latest jobs are listed.")] = None,
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show how far a job is, or the latest jobs."""
    with Client(server, api_key) as client:
        if job is not None:
            jobs = [client.job(job)]
        else:
            jobs = [listed for listed, _ in zip(client.jobs(), range(SHOWN_JOBS), strict=False)]
    if as_json:
        typer.echo(_as_json(jobs[0]) if job else f"[{', '.join(map(_as_json, jobs))}]")
        return
    stdout_console().print(_table(jobs))


def results(
    job: Annotated[str, typer.Argument(help="The job.")],
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = "",
    format: Annotated[ResultsFormat, typer.Option(help="JSON Lines, or CSV with a row a face.")] = "jsonl",  # noqa: A002
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
) -> None:
    """Fetch the results of a job, as far as there are any."""
    with Client(server, api_key) as client:
        if out is None:
            client.save_results(job, sys.stdout.buffer, format=format)
            sys.stdout.buffer.flush()
            return
        try:
            with replacing(out) as file:
                client.save_results(job, file, format=format)
        except OSError as error:
            raise InvalidInput("bad_out", f"--out {out}: {error.strerror}") from error


def cancel(
    job: Annotated[str, typer.Argument(help="The job.")],
    server: ServerOption = DEFAULT_SERVER,
    api_key: KeyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Cancel a job; what is done is kept."""
    with Client(server, api_key) as client:
        cancelled = client.cancel(job)
    if as_json:
        typer.echo(_as_json(cancelled))
    else:
        say(f"{cancelled.id} is {cancelled.outcome or cancelled.state}")


def _find(paths: Sequence[Path]) -> list[FoundPhoto]:
    for path in paths:
        if not path.exists():
            raise InvalidInput("no_such_path", f"no such file or folder: {path}")
    found = find_photos(paths)
    for reason in found.unreadable:
        say(f"cannot look into {reason}")
    for path in found.unnameable:
        say(f"not sent, its name cannot be used: {str(path)!r}")
    if not found.photos:
        raise InvalidInput("no_photos", f"no photos in {', '.join(map(str, paths))}")
    return found.photos


def _upload(client: Client, job_id: str, photos: Sequence[FoundPhoto], console: Console) -> int:
    """Send the photos; returns how many the server, or this machine's file system, refused."""
    refused = 0
    with ThreadPoolExecutor(UPLOADS) as pool:
        sent = [pool.submit(client.put_photo, job_id, photo.custom_id, photo.path) for photo in photos]
        try:
            for future in track(
                as_completed(sent), "sending", total=len(sent), console=console, transient=True
            ):
                try:
                    future.result()
                except (OSError, ApiError, UploadCut) as error:
                    # One bad photo keeps none of the others from being sent.
                    if isinstance(error, ApiError) and error.status not in _BAD_PHOTO:
                        raise
                    refused += 1
                    say(f"not sent: {error}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return refused


def _table(jobs: Sequence[Job]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("JOB", overflow="fold", min_width=max((len(job.id) for job in jobs), default=0))
    for heading in ("STATE", "DONE", "FAILED", "FACES", "CREATED", "LABEL"):
        table.add_column(heading, justify="right" if heading in {"FAILED", "FACES"} else "left")
    for job in jobs:
        table.add_row(
            job.id,
            f"{job.state}: {job.outcome}" if job.outcome else job.state,
            f"{job.counts.final} of {job.counts.total}",
            str(job.counts.failed),
            str(job.faces),
            f"{job.created_at.astimezone():%Y-%m-%d %H:%M}",
            Text(job.label or ""),
        )
    return table


def _as_json(job: Job) -> str:
    document: dict[str, Any] = job.model_dump(mode="json")
    return json.dumps(document, ensure_ascii=False)
