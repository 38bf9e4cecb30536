"""API keys expire, and show when they were last used; owners take turns"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = ("expires_at", "last_used_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("keys", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_jobs_owner_last_claimed_at"), "jobs", ["owner", "last_claimed_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_jobs_owner_last_claimed_at"), "jobs")
    for name in COLUMNS:
        op.drop_column("keys", name)
