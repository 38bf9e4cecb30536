"""`nightshift keys`: make, list and revoke a server's API keys."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from nightshift.client import Client
from nightshift.errors import ClientError
from nightshift.exits import say
from nightshift.remote import JsonOption, with_client
from nightshift.screen import bare_table, cell, tables_screen, tell, tell_json
from nightshift.streams import OutputLost
from nightshift.words.clock import local_time, utc_now

app = typer.Typer(
    help="API keys of a server; needs a key with the scope admin.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
@with_client
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    owner: Annotated[str, typer.Option(help="Whose jobs it makes and sees.")] = "local",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, submit, in_place, operator, metrics or admin; may be given several times."
            " [default: read, submit]"
        ),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36500, help="Days until it is refused. [default: never]")
    ] = None,
    *,
    client: Client,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it: it is shown this once. One that cannot be printed is revoked."""
    expires_at = utc_now() + timedelta(days=expires_days) if expires_days else None
    scopes = scope or ("read", "submit")
    made = client.make_key(name, owner=owner, scopes=scopes, expires_at=expires_at)
    try:
        if as_json:
            tell_json(made.model_dump(mode="json"))
        else:
            tell(made.key)
        sys.stdout.flush()
    except OutputLost:
        _take_back(client, made.id)
        raise
    say(f"{made.id} for {made.owner}: {', '.join(made.scopes)}; keep it, nobody can show it again")


def _take_back(client: Client, key_id: str) -> None:
    """A key that nobody has seen is good for nobody but who finds it in a pipe."""
    try:
        client.revoke_key(key_id)
    except ClientError as error:
        say(f"nobody has seen the key {key_id}, and it could not be revoked: {error}")
    else:
        say(f"nobody has seen the key {key_id}: it is revoked")


@app.command("list")
@with_client
def list_keys(client: Client, as_json: JsonOption = False) -> None:
    """List keys, the newest first."""
    keys = client.keys()
    if as_json:
        for key in keys:
            tell_json(key.model_dump(mode="json", exclude={"key"}))
        return
    table = bare_table("KEY", "OWNER", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "REVOKED", "NAME")
    for key in keys:
        times = (
            local_time(at, zone=False)
            for at in (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
        )
        table.add_row(*map(cell, (key.id, key.owner, " ".join(key.scopes), *times, key.name)))
    tables_screen().print(table)


@app.command()
@with_client
def revoke(key: Annotated[str, typer.Argument(help="Its id, `key_...`.")], client: Client) -> None:
    """Revoke a key: the next request with it is refused."""
    say(f"{client.revoke_key(key).id} is revoked")
