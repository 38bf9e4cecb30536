"""Writes docs/command.md: what `--help` says of every command, with no setting made.

`python -m docs.command_page` rewrites what lies between the markers; with `--check` it only says whether
that is up to date.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from docs.generated import between, keep
from nightshift.cli import app
from shared.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "command.md"
BY = "docs/command_page.py"
WIDTH = 100


def updated(page: str) -> str:
    """The page with every command as it is."""
    parts = [f"## {' '.join(['nightshift', *path])}\n\n```text\n{shown(path)}\n```" for path in commands()]
    return between(page, "commands", "\n\n".join(["", *parts, ""]).strip("\n"), BY)


def commands() -> list[tuple[str, ...]]:
    """Every command there is, as the words behind `nightshift`; the first has none."""
    return list(_below(get_command(app), ()))


def _below(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _below(inner, (*path, name))


def shown(path: tuple[str, ...]) -> str:
    """What `--help` prints where the environment makes no setting."""
    unset = {name: None for name in os.environ if name.upper().startswith("NIGHTSHIFT_")}
    arguments = [*path, "--help"]
    done = CliRunner().invoke(app, arguments, env=unset, prog_name="nightshift", terminal_width=WIDTH)
    if done.exit_code:
        raise SystemExit(f"nightshift {' '.join(arguments)}: {done.output}")
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def main() -> int:
    """0 when docs/command.md is, or has been made, up to date."""
    return keep(PAGE, updated, BY)


if __name__ == "__main__":
    raise SystemExit(main())
