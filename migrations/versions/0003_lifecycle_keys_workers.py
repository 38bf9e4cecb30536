"""lifecycle of jobs, history of attempts, API keys, workers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, required

revision = "0003"
down_revision = "0002"

JOB_COLUMNS = (
    *optional(TIME, "open_until", "paused_until", "last_claimed_at"),
    *optional(sa.Double(), "max_failure_rate"),
    *optional(sa.String(), "processing_window"),
    *optional(sa.JSON(), "error"),
)
PHOTO_COLUMNS = (*optional(TIME, "claimed_at"), *optional(sa.JSON(), "history"))


def upgrade() -> None:
    # Plain ADD COLUMN, which both databases do at once: a table of 100,000 photos is not copied.
    for table, columns in (("jobs", JOB_COLUMNS), ("photos", PHOTO_COLUMNS)):
        for column in columns:
            op.add_column(table, column)

    op.create_table(
        "keys",
        *required(sa.String(), "id", "name", "owner", "sha256"),
        *required(sa.JSON(), "scopes"),
        *required(TIME, "created_at"),
        *optional(TIME, "revoked_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
    )
    op.create_table(
        "workers",
        *required(sa.String(), "id", "kind", "host"),
        *required(sa.JSON(), "about", "sums"),
        *required(TIME, "started_at", "seen_at"),
        *optional(TIME, "stopped_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_table("keys")
    for table, columns in (("photos", PHOTO_COLUMNS), ("jobs", JOB_COLUMNS)):
        for column in columns:
            op.drop_column(table, column.name)
