"""an index of what is due of each owner"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

DUE = sa.text("next_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_owner_next_at",
        "deliveries",
        ["owner", "next_at"],
        sqlite_where=DUE,
        postgresql_where=DUE,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_owner_next_at", "deliveries")
