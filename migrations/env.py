"""Alembic's entry: runs migrations on the URL that `shared.db.migrate` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from shared.db.engine import open_engine
from shared.db.tables import Base


def run() -> None:
    """Apply each migration in a transaction of its own, on SQLite all in one."""
    engine = open_engine(context.config.attributes["database_url"], foreign_keys=False)
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # Two servers starting at once: the second waits, then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_lock(7041776)"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            # On SQLite the transaction is the lock: whoever comes second reads what is left to do inside it.
            transaction_per_migration=connection.dialect.name == "postgresql",
            # SQLite can, Alembic only does not expect it to.
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"rows without their parents after migrating: {broken[:5]}")
    engine.dispose()


run()
