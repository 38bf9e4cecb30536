"""Runs the migrations, and tells whether a database has them all. `python -m shared.db.migrate` upgrades."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import column, inspect, select, table
from sqlalchemy.orm import Session

import migrations
from nightshift.machine.privacy import keep_files_private
from shared.db.engine import translated
from shared.settings import load_settings

# Alembic's own look at it is two lines in the log, and a probe looks every few seconds.
_REVISIONS = table("alembic_version", column("version_num"))


def _config(database_url: str) -> Config:
    config = Config()
    # The value is a template: a folder's `%` would begin a name in it.
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database's schema up to `revision`.

    Raises:
        Transient: `database_unavailable`.
    """
    with translated():
        command.upgrade(_config(database_url), revision)


def is_current(session: Session) -> bool:
    """True when the database has every migration this code knows."""
    if not inspect(session.connection()).has_table(_REVISIONS.name):
        return False
    return set(session.scalars(select(_REVISIONS.c.version_num))) == {_head()}


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config("")).get_current_head()


if __name__ == "__main__":
    keep_files_private()
    upgrade(load_settings().database_url)
