"""The commands that talk to a server about jobs: submit, status, results, report, and those that steer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nightshift import given
from nightshift.again import rerun
from nightshift.client import Client, ResultsFormat
from nightshift.exits import Exit, exit_for_outcome, reporting_errors, say
from nightshift.flags import with_changes, with_flags, with_wishes
from nightshift.looking import COMMANDS as LOOKING
from nightshift.looking import JobArgument as JobArgument
from nightshift.looking import JsonOption as JsonOption
from nightshift.looking import wait_for
from nightshift.machine.whole_files import replacing
from nightshift.not_told import say_not_told
from nightshift.opened import take_back
from nightshift.photos import Found, archive_among, find_photos
from nightshift.plans import Plan
from nightshift.report import check_writable, save_form, write_report
from nightshift.results_folder import RESULTS_FOLDER, require_own_report
from nightshift.screen import cell, errors_screen, results_sink, tables_screen, tell, tell_json
from nightshift.sending import NotSent, first_place, name_not_sent, places_of, send_photos, shortened_name
from nightshift.streams import OutputLost
from nightshift.table_files import MadeFormat, is_made
from nightshift.variables import server_address, telling_whose
from nightshift.waiting import when_it_goes_on
from nightshift.which_job import job_named
from nightshift.words.documents import Job
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.left_alone import in_full
from nightshift.words.new_job import JobChange, NewJob
from nightshift.words.pairs import PairsWish
from nightshift.words.photo_names import path_spelled_out
from nightshift.words.plain_text import counted, plain

ServerOption = Annotated[
    str,
    typer.Option(
        envvar="NIGHTSHIFT_SERVER",
        help="The server's URL. [default: this machine, at NIGHTSHIFT_HOST and NIGHTSHIFT_PORT, or where its"
        " `nightshift serve` is]",
        show_default=False,
    ),
]
KeyOption = Annotated[
    str, typer.Option(envvar="NIGHTSHIFT_API_KEY", help="API key.", show_default=False, show_envvar=True)
]


def with_client(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `client` is filled from flags; what goes wrong is told in one line."""

    def run(server: ServerOption = "", api_key: KeyOption = "", **given: Any) -> None:
        address = server_address(server)
        with telling_whose(address), Client(address.url, api_key, say=say) as client:
            if given.get("job"):
                given["job"] = job_named(client, given["job"])
            command(client=client, **given)

    return reporting_errors(with_flags(run, command, instead_of="client"))


def add_to(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (submit, rerun, *LOOKING, results, report, change, pause, resume, retry, cancel, delete):
        app.command()(with_client(command))


@with_wishes
def submit(
    paths: Annotated[
        list[Path],
        typer.Argument(parser=given.path, help="Folders, looked through to the bottom, and files."),
    ],
    wish: NewJob,
    *,
    client: Client,
    job: Annotated[
        str | None,
        typer.Option(
            help="Go on with this job, whose upload was broken off, or add these behind what it has.",
            show_default=False,
        ),
    ] = None,
    in_place: Annotated[
        bool,
        typer.Option("--in-place", help="Name the files instead of sending them (server on this machine)."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the end; the exit code tells how it was.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send photos, or one zip, tar or tar.gz of photos, to a server and print the job's id.

    Photos that the server has from an earlier job are not sent again.
    """
    console = errors_screen()
    given.require_there(paths)
    archive = archive_among(paths)
    if archive is not None and (job or in_place):
        raise InvalidInput(
            Code.ARCHIVE_ALONE, "an archive makes a job of its own: leave out --job and --in-place"
        )
    found = Found() if archive else _find(paths, wish.options.pairs)
    photos = found.photos
    not_sent: NotSent = {shortened_name(path): "unnameable" for path in found.unnameable}
    if dry_run:
        wished = None if job else wish
        Plan(found, archive, client.server, wish=wished).tell(tables_screen(), as_json=as_json)
        raise typer.Exit
    if archive is not None:
        with console.status(cell(f"sending {archive.name}")):
            submitted = client.submit_archive(archive, given.labelled(wish, paths))
    else:
        # Files in place are listed as they are named; what is not named then, behind them.
        places: dict[str, int] = {}
        job_id = job or client.create_job(given.labelled(wish, paths)).id
        try:
            if in_place:
                client.register_in_place(
                    job_id, ((photo.custom_id, photo.path, photo.root) for photo in photos)
                )
            else:
                places = places_of(found, first_place(client, job_id, found) if job else 0)
                not_sent |= send_photos(client, job_id, photos, console, places)
            name_not_sent(client, job_id, not_sent, places)
        except BaseException as error:
            if job is None and take_back(client, job_id, error, even_filled=in_place):
                raise
            # Of a job that is not there, or no longer open, the server says so itself.
            if getattr(error, "code", None) not in {Code.JOB_NOT_FOUND, Code.JOB_SEALED}:
                say(f"job {job_id} is open still: `nightshift submit --job {job_id} ...` goes on with it")
            raise
        submitted = client.submit(job_id)
    job_id = submitted.id
    say_not_told(submitted)
    if not as_json:
        with _naming_job_if_output_is_lost(job_id):
            tell(job_id)
    if wait:
        submitted = wait_for(client, job_id, console)
    if as_json:
        with _naming_job_if_output_is_lost(job_id):
            tell_json(submitted.model_dump(mode="json"))
    refused = not_sent or found.unreadable
    if wait:
        code = exit_for_outcome(submitted.outcome)
        raise typer.Exit(Exit.PARTIAL if refused and code == Exit.SUCCEEDED else code)
    if refused:
        raise typer.Exit(Exit.PARTIAL)


@contextmanager
def _naming_job_if_output_is_lost(job_id: str) -> Iterator[None]:
    """Around what prints a new job: should that be lost, its name is not."""
    try:
        yield
        sys.stdout.flush()
    except OutputLost:
        say(f"{job_id} is submitted")
        raise


def results(
    job: JobArgument,
    client: Client,
    format: Annotated[  # noqa: A002
        Literal[ResultsFormat, MadeFormat],
        typer.Option(help="JSON Lines, or one of the tables; `csv` is the one from before, which goes."),
    ] = "jsonl",
    out: Annotated[
        Path | None, typer.Option(parser=given.path, help="File to write; standard output without it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file when it is there.")
    ] = False,
) -> None:
    """Fetch the results of a job, as far as there are any."""
    if out is None:
        save_form(client, job, sys.stdout.buffer if is_made(format) else results_sink(), format)
        sys.stdout.buffer.flush()
        return
    if out.is_file() and not overwrite:
        raise InvalidInput(Code.RESULTS_IN_THE_WAY, f"--out {out} is there; with --overwrite it is replaced")
    try:
        with replacing(out) as file:
            save_form(client, job, file, format)
    except OSError as error:
        raise InvalidInput(Code.BAD_OUT, f"--out {out}: {error.strerror}") from error


def report(
    job: JobArgument,
    client: Client,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=given.path,
            help="Folder for report.html and report_files. [default: nightshift-results/JOB]",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the report of another job.")
    ] = False,
) -> None:
    """Write a page that shows the photos of a job and what was found in them, and print its path.

    The report of a job that runs shows what is done so far, and says so.
    """
    found = client.job(job)
    folder = (out or Path(RESULTS_FOLDER) / found.id).absolute()
    check_writable(folder)
    if not overwrite:
        require_own_report(folder, found.id)
    with errors_screen().status("writing the report"):
        left_alone = in_full(found.archive.left_alone) if found.archive else ()
        tell(write_report(client, found, folder, [("Left alone", line) for line in left_alone]))


@with_changes
def change(job: JobArgument, change: JobChange, *, client: Client, as_json: JsonOption = False) -> None:
    """Change what was wished of a job: its label, priority, window, deadline, receivers, metadata ..."""
    changed = client.change_job(job, change)
    if not as_json:
        say(f"{changed.id} has now: {_in_words(changed, change)}")
    if as_json or not changed.ended:
        _show(changed, as_json)


def _in_words(job: Job, change: JobChange) -> str:
    """What was changed; of receivers how many, since their URLs are secrets."""
    said = []
    for name in (name for name in JobChange.model_fields if name in change.model_fields_set):
        value, called = getattr(change, name), name.replace("_", " ")
        if name == "notify":
            told = "the receivers that are set for all" if value is None else counted(len(value), "receiver")
            said.append(told)
        elif not value and name != "priority":
            said.append(f"no {called}")
        elif name == "deadline" and job.deadline is not None:
            # Eight hours from then is a time.
            said.append(f"deadline {job.deadline.astimezone():%Y-%m-%d %H:%M}")
        elif name == "max_failure_rate" and value:
            said.append(f"{called} {value:.0%}")
        elif name == "metadata":
            said.append("metadata " + ", ".join(f"{key}={text}" for key, text in value.items()))
        else:
            said.append(f"{called} {value!r}" if name == "label" else f"{called} {value}")
    return plain(", ".join(said))


def cancel(job: JobArgument, client: Client, as_json: JsonOption = False) -> None:
    """Cancel a job; what is done is kept."""
    _show(client.cancel(job), as_json)


def pause(
    job: JobArgument,
    client: Client,
    until: Annotated[
        datetime | None, typer.Option(help="When it goes on by itself, by this machine's clock.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Pause a job; what is under way is finished and kept."""
    _show(client.pause(job, until.astimezone() if until else None), as_json)


def resume(job: JobArgument, client: Client, as_json: JsonOption = False) -> None:
    """Go on with a paused job."""
    _show(client.resume(job), as_json)


def retry(
    job: JobArgument,
    client: Client,
    code: Annotated[
        list[str] | None,
        typer.Option(help="Only photos that failed with this error code; may be given several times."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try again what did not succeed in a job that has ended."""
    _show(client.retry(job, code or ()), as_json)


def _show(job: Job, as_json: bool) -> None:
    if as_json:
        tell_json(job.model_dump(mode="json"))
    else:
        waits = f" until {when_it_goes_on(job)}" if job.waits_until else ""
        left = f"; {job.counts.queued:,} to do" if job.counts.queued else ""
        say(f"{job.id} is {job.outcome or job.state}{waits}{left}")


def delete(
    job: JobArgument,
    client: Client,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a job: its photos on the server, thumbnails and results. Files in place are not touched."""
    if not yes:
        try:
            agreed = typer.confirm(f"Erase job {plain(job)} with all its results?", err=True)
        except typer.Abort:
            if sys.stdin.isatty():
                raise
            agreed = False
        if not agreed:
            raise InvalidInput(Code.NOT_CONFIRMED, "nothing is erased; with --yes it is not asked")
    receipt = client.delete(job)
    if as_json:
        tell_json(receipt.model_dump(mode="json"))
        return
    in_place = (
        f"; {counted(receipt.in_place, 'file in place is as it was', 'files in place are as they were')}"
        if receipt.in_place
        else ""
    )
    say(
        f"erased {receipt.job_id}: {counted(receipt.photos, 'photo')}, {counted(receipt.faces, 'face')};"
        f" deleted {counted(receipt.originals, 'original')}, {counted(receipt.thumbnails, 'thumbnail')},"
        f" {counted(receipt.size_bytes, 'byte')}"
        f"{in_place}"
    )
    if receipt.completed_at is None:
        say("the database's log may still hold copies while it is read; the sweeper sees to it")


def _find(paths: Sequence[Path], pairs: PairsWish) -> Found:
    """The photos; what could not be taken is said."""
    found = find_photos(paths, pairs=pairs)
    for reason in found.unreadable:
        say(f"cannot look into {reason}")
    for path in found.unnameable:
        say(f"not sent, its name cannot be used: {path_spelled_out(path)}")
    if not found.photos:
        raise InvalidInput(Code.NO_PHOTOS, f"no photos in {', '.join(map(str, paths))}{found.others()}")
    if found.left_alone:
        found.tell(say)
    return found
