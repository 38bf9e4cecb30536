"""The migrations make exactly the tables the models speak of, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from shared.db.engine import Database
from shared.db.migrate import is_current
from shared.db.models import Base


def test_migrated_schema_equals_the_models(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert is_current(session)
