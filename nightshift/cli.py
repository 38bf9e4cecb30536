"""The `nightshift` command. Data goes to standard output, everything else to standard error.

Commands that talk to a server need the base installation only; what starts the service is
imported when it is asked for.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from nightshift import given, keys, remote, webhooks
from nightshift.desktop import tell_desktop
from nightshift.exits import SERVICE_IS_HERE, exit_table, explaining_what_is_not_installed, reporting_errors
from nightshift.flags import ServiceCommand, flag, with_wishes
from nightshift.machine.home import roots_of
from nightshift.machine.privacy import keep_files_private
from nightshift.screen import errors_screen, say, tables_screen, tell_json
from nightshift.top import Command
from nightshift.variables import remarks_on_variables
from nightshift.words.new_job import NewJob
from nightshift.words.options import BundlePlace, Home, Host, Port, Workers
from nightshift.words.plain_text import counted
from nightshift.words.version import VERSION

app = typer.Typer(
    cls=Command,
    help="Finds every face in a pile of photos and gives it an apparent gender and age group.",
    epilog=exit_table(),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
HomeOption = Annotated[Path | None, flag(Home, parser=given.path)]
WorkersOption = Annotated[int | None, flag(Workers)]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Analyse photos on this machine (run), or serve others (serve, worker) and be their client."""
    # Results and reports, too: they are about people.
    keep_files_private()
    for remark in remarks_on_variables(os.environ):
        say(remark)


@app.command()
def version() -> None:
    """Show the version."""
    typer.echo(VERSION)


@app.command(cls=ServiceCommand, epilog=exit_table())
@reporting_errors
@with_wishes
def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=given.path, help="Folders, looked through to the bottom, and files.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=given.path, help="Folder for results and report. [default: nightshift-results/NAME-DATE]"
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results of other photos, and files changed since.")
    ] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also write the tables as Parquet.")] = False,
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Also write results.xlsx.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run: over PATHS, or the latest.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be analysed, and where results would go.")
    ] = False,
    bundle: Annotated[str | None, flag(BundlePlace)] = None,
    workers: WorkersOption = None,
    home: HomeOption = None,
    *,
    wish: NewJob,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Only the results: no report.html with its thumbnails.")
    ] = False,
    follow: Annotated[bool, typer.Option(help="Look into folders that are links.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="No progress and no remarks: the summary, and what goes wrong."),
    ] = False,
    desktop: Annotated[
        bool, typer.Option(help="At a terminal, have the desktop say that it is done, where there is one.")
    ] = True,
) -> None:
    """Analyse photos on this machine, with everything that takes started and stopped again.

    The photos are read where they are and never changed, copied or moved. A second run over the
    same photos takes over the earlier results, unless --no-reuse is given.
    """
    if not paths and not resume:
        raise typer.BadParameter("give a folder or files, or --resume", param_hint="PATHS")
    with explaining_what_is_not_installed():
        from nightshift.embedded.early import EarlyWorker
    from nightshift.report import Report, print_report
    from nightshift.table_files import PARQUET

    with nullcontext() if dry_run else EarlyWorker(_absolute(home) if home else None) as early:
        # Meanwhile, since it takes as long.
        with explaining_what_is_not_installed():
            from nightshift.embedded.run import Request, Run

        request = Request(
            paths=tuple(dict.fromkeys(_absolute(path) for path in paths or [])),
            out=_absolute(out) if out else None,
            resume=resume,
            options=wish.options.model_dump(exclude_unset=True),
            about=wish.model_dump(exclude_unset=True, exclude={"options"}),
            settings=_given(home=home, workers=workers, bundle=bundle),
            follow=follow,
            page=not no_report,
            quiet=quiet or dry_run,
            also=[*(PARQUET if parquet else ()), *(("xlsx",) if xlsx else ())],
            overwrite=overwrite,
        )
        asked = Run(request, errors_screen(), early)
        if dry_run:
            asked.plan().tell(tables_screen(), as_json=as_json)
            raise typer.Exit
        report = asked.execute()
    if not isinstance(report, Report):
        raise typer.Exit(report)
    if desktop and sys.stdout.isatty():
        tell_desktop(report.job)
    if as_json:
        tell_json(report.as_json(), indent=2)
    else:
        print_report(report, tables_screen())
    raise typer.Exit(report.exit)


@app.command(cls=ServiceCommand)
@reporting_errors
def runs(
    drop: Annotated[
        str | None, typer.Option(help="Give this one up; what it has analysed is kept for later runs.")
    ] = None,
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List runs that were broken off, and how much of each is done; run --resume goes on with one."""
    with explaining_what_is_not_installed():
        from nightshift.embedded.left_runs import drop_run, left_runs, table_of
        from shared.settings import load_settings

    settings = load_settings(**_given(home=home))
    if drop is not None:
        gone = drop_run(settings, drop)
        say(f"{gone.run.job_id} is dropped; its {gone.done:,} of {counted(gone.total, 'photo')} are kept")
        return
    left = left_runs(settings)
    if as_json:
        tell_json([each.as_json() for each in left])
    elif left:
        tables_screen().print(table_of(left))
    else:
        say("no run was broken off")


@app.command(cls=ServiceCommand)
@reporting_errors
def serve(
    host: Annotated[str | None, flag(Host)] = None,
    port: Annotated[int | None, flag(Port)] = None,
    in_place_roots: Annotated[
        list[Path] | None,
        typer.Option(
            "--in-place",
            parser=given.path,
            help="Folder whose files clients on this machine may name instead of sending them; may be given"
            " several times.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Serve the API here, with broker and sweeper; workers are started by `nightshift worker`."""
    with explaining_what_is_not_installed():
        from nightshift.embedded.serve import serve as serve_here

    roots = roots_of(map(_absolute, in_place_roots)) if in_place_roots else None
    raise typer.Exit(serve_here(_given(host=host, port=port, home=home, in_place_roots=roots)))


@app.command(cls=ServiceCommand)
@reporting_errors
def worker(workers: WorkersOption = None, home: HomeOption = None) -> None:
    """Work for the service of this home, or for the one that NIGHTSHIFT_DATABASE_URL and _BROKER_URL name."""
    with explaining_what_is_not_installed():
        from nightshift.embedded.serve import become_worker

    become_worker(_given(workers=workers, home=home))


def _elsewhere(_arguments: typer.Context) -> None:
    with explaining_what_is_not_installed():
        raise ImportError


# What is behind the name is not looked at.
_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}

remote.add_to(app)
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhooks")
if SERVICE_IS_HERE:
    from nightshift.bundles import commands as models
    from nightshift.embedded import admin

    app.add_typer(models.app, name="models")
    app.add_typer(admin.app, name="admin")
else:
    for _name, _what in (("models", "Weights of a service."), ("admin", "Look after a service.")):
        app.command(_name, help=_what, context_settings=_ANYTHING)(_elsewhere)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _absolute(path: Path) -> Path:
    # Not resolve(): a link keeps the name the user knows. Where there is no home, `~` is a name.
    return Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111
