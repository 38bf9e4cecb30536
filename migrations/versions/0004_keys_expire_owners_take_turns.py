"""API keys expire, and show when they were last used; owners take turns"""

from __future__ import annotations

from alembic import op

from migrations.columns import TIME, optional

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in optional(TIME, "expires_at", "last_used_at"):
        op.add_column("keys", column)
    op.create_index(op.f("ix_jobs_owner_last_claimed_at"), "jobs", ["owner", "last_claimed_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_owner_last_claimed_at"), "jobs")
    op.drop_column("keys", "last_used_at")
    op.drop_column("keys", "expires_at")
