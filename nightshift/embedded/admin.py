"""`nightshift admin`: for whoever runs the service, on a machine with its settings."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nightshift import given
from nightshift.exits import Exit, explaining_what_is_not_installed, reporting_errors, say
from nightshift.flags import ServiceCommand, flag
from nightshift.remote import JsonOption
from nightshift.screen import bare_table, cell, tables_screen, tell, tell_json
from nightshift.words.clock import local_time, utc_now
from nightshift.words.options import Home
from nightshift.words.plain_text import counted
from shared.settings import Settings, load_settings

app = typer.Typer(
    help="Look after a service; reads NIGHTSHIFT_* settings.", no_args_is_help=True, rich_markup_mode=None
)
HomeOption = Annotated[Path | None, flag(Home, parser=given.path)]


@app.command(cls=ServiceCommand)
@reporting_errors
def workers(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List workers and sweepers that live, or hold photos; those that ended lately are counted."""
    with explaining_what_is_not_installed():
        from shared.db.engine import Database
        from shared.reads.workers import worker_list

    with closing(Database(_settings(home).database_url)) as database, database.read() as session:
        found = worker_list(session).workers
    if as_json:
        for worker in found:
            tell_json(worker.model_dump(mode="json"))
        return
    table = bare_table("PROCESS", "KIND", "ALIVE", "HELD", "DONE", "DEVICE", "SEEN")
    listed = [worker for worker in found if worker.alive or worker.photos_held]
    for worker in listed:
        table.add_row(
            cell(worker.id),
            cell(worker.kind),
            "yes" if worker.alive else "no",
            str(worker.photos_held),
            str(worker.photos_done),
            cell(worker.about.get("device", "")),
            local_time(worker.seen_at, seconds=True, zone=False),
        )
    tables_screen().print(table)
    if ended := len(found) - len(listed):
        say(f"{counted(ended, 'more process', 'more processes')} ended lately; `--json` has them, too")


@app.command(cls=ServiceCommand)
@reporting_errors
def reconcile(
    home: HomeOption = None,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what can be put right.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold database and store against each other; exit 3 when something does not agree."""
    with explaining_what_is_not_installed():
        from shared.db.engine import Database
        from shared.files.store import Store
        from shared.operations.reconcile import MEANINGS
        from shared.operations.reconcile import reconcile as compare

    settings = _settings(home)
    left: Counter[str] = Counter()
    with closing(Database(settings.database_url)) as database:
        for finding in compare(settings, database, Store(settings.store_url), fix=fix, now=utc_now()):
            left[finding.kind] += 0 if finding.fixed else finding.count
            if as_json:
                tell_json(asdict(finding))
            else:
                fixed = " (put right)" if finding.fixed else ""
                tell(f"{finding.job_id}: {finding.count:,} {MEANINGS[finding.kind]}{fixed}")
    if not +left:
        say("database and store agree")
        return
    raise typer.Exit(Exit.PARTIAL)


@app.command(cls=ServiceCommand)
@reporting_errors
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Examine every part the service stands on; exit 6 when one has failed."""
    with explaining_what_is_not_installed():
        from shared.operations.doctor import examine

    failed = False
    for diagnosis in examine(_settings(home)):
        failed |= diagnosis.health == "failed"
        if as_json:
            tell_json(asdict(diagnosis))
        else:
            tell(f"{diagnosis.health:<8} {diagnosis.part:<13} {diagnosis.says}")
    if failed:
        raise typer.Exit(Exit.UNAVAILABLE)


@app.command(cls=ServiceCommand)
@reporting_errors
def clock(
    home: HomeOption = None,
    trust: Annotated[bool, typer.Option("--trust", help="Say that the clock is right.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show whether the clock is believed by which results expire; exit 3 while it is not."""
    with explaining_what_is_not_installed():
        from shared.db.engine import Database
        from shared.operations.erasure import count_expired
        from shared.queue import expiry

    with (
        closing(Database(_settings(home).database_url)) as database,
        database.write() if trust else database.read() as session,
    ):
        horizon = expiry.trust(session) if trust else expiry.standing(session)
        due = count_expired(session, horizon.now)
    if as_json:
        times = {name: time and time.isoformat() for name, time in asdict(horizon).items()}
        tell_json({**times, "in_doubt": horizon.in_doubt, "due": due})
    else:
        tell(
            f"clock {horizon.now:%Y-%m-%d %H:%M:%S} UTC; by it {counted(due, 'job has', 'jobs have')} expired"
        )
    if horizon.trusted_at is not None:
        say(
            f"the clock is far ahead of {horizon.until:%Y-%m-%d %H:%M:%S} UTC, when it was last believed:"
            f" nothing expires before {horizon.trusted_at:%Y-%m-%d %H:%M:%S} UTC, or --trust"
        )
        raise typer.Exit(Exit.PARTIAL)


def _settings(home: Path | None) -> Settings:
    return load_settings(home=home) if home else load_settings()
