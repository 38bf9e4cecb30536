"""audit: who did what, when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, required

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "audit",
        *required(sa.String(), "id", "owner", "verb", "kind"),
        *optional(sa.String(), "subject", "key_id", "person", "address"),
        *required(TIME, "at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at", "id"])
    op.create_index("ix_audit_owner_at", "audit", ["owner", "at", "id"])
    op.create_index("ix_audit_subject", "audit", ["subject"])


def downgrade() -> None:
    op.drop_table("audit")
