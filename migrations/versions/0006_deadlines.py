"""a job may have a deadline"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("deadline", TIME, nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "deadline")
