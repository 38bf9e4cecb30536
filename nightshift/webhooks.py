"""`nightshift webhooks`: who is told of jobs, by webhook or message, and what became of it."""

from __future__ import annotations

import sys
import time
from itertools import islice
from typing import Annotated, Any

import typer

from nightshift.client import Client
from nightshift.exits import Exit, say
from nightshift.looking import JOB_HELP
from nightshift.remote import JsonOption, with_client
from nightshift.screen import bare_table, cell, errors_screen, tables_screen, tell, tell_json
from nightshift.streams import OutputLost
from nightshift.words.clock import local_time
from nightshift.words.document import Document
from nightshift.words.error_codes import Code
from nightshift.words.errors import InvalidInput
from nightshift.words.plain_text import plain
from nightshift.words.webhooks import Delivery, Receiver

app = typer.Typer(
    help="Who is told of jobs, by webhook or by a message to people (docs/webhooks.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
)

TRIED_S = 45.0
"""An attempt takes half a minute at most."""
LOOK_S = 0.5
UrlArgument = Annotated[
    str, typer.Argument(help="https://..., or an Apprise URL, such as mailtos://...", show_default=False)
]
ReceiverArgument = Annotated[
    str, typer.Argument(help="A receiver: its id, rcv_..., or a URL.", show_default=False)
]
DeliveryArgument = Annotated[str, typer.Argument(help="Its id, evt_....")]


@app.command("list")
@with_client
def list_receivers(client: Client, as_json: JsonOption = False) -> None:
    """List who is told of jobs that name nobody, and the secrets that sign it."""
    found = client.webhooks()
    if as_json:
        tell_json(found.model_dump(mode="json"))
        return
    if not found.receivers:
        say("nobody is told of jobs that name nobody; `nightshift webhooks add URL` changes that")
    else:
        table = bare_table("RECEIVER", "URL", "EVENTS", "DISABLED")
        for each in found.receivers:
            table.add_row(
                *map(cell, (each.id, each.url, _events_of(each), local_time(each.disabled_at, zone=False)))
            )
        tables_screen().print(table)
    for secret in found.secrets:
        until = f", until {local_time(secret.expires_at)}" if secret.expires_at else ""
        say(f"signed by {secret.id}, made {local_time(secret.created_at)}{until}")


@app.command()
@with_client
def add(
    url: UrlArgument,
    client: Client,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="job.ended, job.failed_early, job.progress or job.expiring; may be given several times."
            " [default: job.ended]"
        ),
    ] = None,
    progress_percent: Annotated[
        int, typer.Option(min=1, max=100, help="job.progress comes each time so many per cent more are done.")
    ] = 10,
    as_json: JsonOption = False,
) -> None:
    """Have one more be told of each job that names nobody."""
    events = event or ["job.ended"]
    added = client.add_receiver(url, events=events, progress_percent=progress_percent)  # type: ignore[arg-type]
    _told(added, f"{added.id} ({added.url}) is told: {_events_of(added)}", as_json)


@app.command()
@with_client
def change(
    receiver: ReceiverArgument,
    client: Client,
    url: Annotated[
        str | None, typer.Option(help="Where it is told from now on. [default: as it is]", show_default=False)
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="What it is told of from now on, as for `add`; may be given several times."
            " [default: as it is]",
            show_default=False,
        ),
    ] = None,
    progress_percent: Annotated[
        int | None, typer.Option(min=1, max=100, help="As for `add`. [default: as it is]", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Change where, or of what, a receiver is told; what is not given stays."""
    if url is None and not event and progress_percent is None:
        raise typer.BadParameter("say what to change: --url, --event or --progress-percent")
    asked: dict[str, Any] = {"url": url, "events": event or None, "progress_percent": progress_percent}
    changed = client.change_receiver(_id_of(client, receiver), **asked)
    _told(changed, f"{changed.id} ({changed.url}) is told: {_events_of(changed)}", as_json)


@app.command()
@with_client
def remove(receiver: ReceiverArgument, client: Client, as_json: JsonOption = False) -> None:
    """Tell a receiver no more of jobs that name nobody."""
    gone = client.remove_receiver(_id_of(client, receiver))
    _told(gone, f"{gone.id} ({gone.url}) is told no more", as_json)


@app.command()
@with_client
def test(receiver: ReceiverArgument, client: Client, as_json: JsonOption = False) -> None:
    """Send a test, and wait until it is taken or not (exit code 4)."""
    sent = client.try_webhook(receiver)
    until_s = time.monotonic() + TRIED_S
    with errors_screen().status(cell(f"sending {sent.id} to {sent.url}")):
        while sent.attempted_at is None and time.monotonic() < until_s:
            time.sleep(LOOK_S)
            sent = client.delivery(sent.id)
    _told(sent, f"{sent.id}: {_fate_of(sent)}", as_json)
    if sent.state != "delivered":
        raise typer.Exit(Exit.FAILED)


@app.command()
@with_client
def deliveries(
    client: Client,
    state: Annotated[
        str | None, typer.Option(help="Only these: waiting, delivered or given_up.", show_default=False)
    ] = None,
    job: Annotated[str | None, typer.Option(help=f"Only those of this job. {JOB_HELP}")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List what was and is to be sent, the newest first."""
    found = islice(client.deliveries(state=state, job_id=job), limit)
    if as_json:
        for each in found:
            tell_json(each.model_dump(mode="json"))
        return
    table = bare_table("DELIVERY", "CREATED", "EVENT", "JOB", "URL", "STATE", "TRIED", "NEXT", "PROBLEM")
    for each in found:
        what = (each.event, each.job_id or "", each.url, each.state, str(each.attempts))
        table.add_row(
            *map(
                cell,
                (
                    each.id,
                    local_time(each.created_at, zone=False),
                    *what,
                    local_time(each.next_at, zone=False),
                    each.problem or "",
                ),
            )
        )
    tables_screen().print(table)


@app.command()
@with_client
def redeliver(delivery: DeliveryArgument, client: Client, as_json: JsonOption = False) -> None:
    """Send a delivery once more, under the same id; its receiver is enabled again."""
    again = client.redeliver(delivery)
    _told(again, f"{again.id} is sent again", as_json)


@app.command()
@with_client
def secret(client: Client, as_json: JsonOption = False) -> None:
    """Make a secret that signs webhooks and print it: it is shown this once.

    For 24 hours deliveries are signed by the one before as well.
    """
    made = client.make_webhook_secret()
    try:
        if as_json:
            tell_json(made.model_dump(mode="json"))
        else:
            tell(made.secret)
        sys.stdout.flush()
    except OutputLost:
        say(f"nobody has seen the secret {made.id}: make another, the one before it signs for 24 hours still")
        raise
    say(f"{made.id}; keep it, nobody can show it again")


def _id_of(client: Client, receiver: str) -> str:
    """The id; of a URL, that of the receiver which has it, as far as URLs are shown."""
    if "://" not in receiver:
        return receiver
    ids = [each.id for each in client.webhooks().receivers if each.url == receiver]
    if len(ids) != 1:
        message = "no one receiver has this URL; `nightshift webhooks list` shows their ids"
        raise InvalidInput(Code.RECEIVER_NOT_FOUND, message)
    return ids[0]


def _told(document: Document, sentence: str, as_json: bool) -> None:
    if as_json:
        tell_json(document.model_dump(mode="json"))
    else:
        say(sentence)


def _events_of(receiver: Receiver) -> str:
    if receiver.notify is None:
        return "of jobs that name it alone"
    progress = f" (every {receiver.notify.progress_percent} %)"
    return ", ".join(
        f"{event}{progress if event == 'job.progress' else ''}" for event in receiver.notify.events
    )


def _fate_of(delivery: Delivery) -> str:
    if delivery.state == "delivered":
        return f"taken by {delivery.url}"
    if delivery.attempted_at is None:
        return "not tried yet: is a sweeper running?"
    again = f"; it is tried again {local_time(delivery.next_at, seconds=True)}" if delivery.next_at else ""
    return f"not taken: {plain(delivery.problem or delivery.state)}{again}"
