"""lifecycle of jobs, history of attempts, API keys, workers"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JOB_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("open_until", sa.DateTime(timezone=True)),
    ("paused_until", sa.DateTime(timezone=True)),
    ("max_failure_rate", sa.Double()),
    ("processing_window", sa.String()),
    ("last_claimed_at", sa.DateTime(timezone=True)),
    ("error", sa.JSON()),
)
PHOTO_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("claimed_at", sa.DateTime(timezone=True)),
    ("history", sa.JSON()),
)


def upgrade() -> None:
    # Plain ADD COLUMN, which both databases do at once: a table of 100,000 photos is not copied.
    for table, columns in (("jobs", JOB_COLUMNS), ("photos", PHOTO_COLUMNS)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))

    op.create_table(
        "keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_table("keys")
    for table, columns in (("photos", PHOTO_COLUMNS), ("jobs", JOB_COLUMNS)):
        for name, _ in columns:
            op.drop_column(table, name)
