"""webhooks: secrets, receivers, the outbox"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, part_of, required

revision = "0011"
down_revision = "0010"

JOB_COLUMNS = (
    *optional(sa.JSON(), "notify"),
    *optional(sa.BigInteger(), "told_percent"),
    *optional(TIME, "told_expiring_at"),
)


def upgrade() -> None:
    for column in JOB_COLUMNS:
        op.add_column("jobs", column)
    op.create_table(
        "webhook_secrets",
        *required(sa.String(), "id", "owner", "secret"),
        *required(TIME, "created_at"),
        *optional(TIME, "expires_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_owner", "webhook_secrets", ["owner"])
    op.create_table(
        "receivers",
        *required(sa.String(), "owner", "url"),
        *optional(sa.JSON(), "notify"),
        *optional(TIME, "disabled_at"),
        sa.PrimaryKeyConstraint("owner", "url", name=op.f("pk_receivers")),
    )
    op.create_table(
        "deliveries",
        *required(sa.String(), "id", "owner", "event", "url", "state"),
        *optional(sa.String(), "job_id", "body", "answer", "problem"),
        *required(TIME, "created_at", "until"),
        *optional(TIME, "next_at", "attempted_at"),
        *required(sa.BigInteger(), "attempts"),
        *optional(sa.BigInteger(), "status"),
        part_of("deliveries", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    due = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_deliveries_next_at", "deliveries", ["next_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_index("ix_deliveries_owner_created_at", "deliveries", ["owner", "created_at", "id"])
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])


def downgrade() -> None:
    for table in ("deliveries", "receivers", "webhook_secrets"):
        op.drop_table(table)
    for column in JOB_COLUMNS:
        op.drop_column("jobs", column.name)
