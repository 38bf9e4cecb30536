"""archives to unpack, uploads under way and remembered, receipts of erased jobs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, part_of, required

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("delete_originals", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("originals_deleted_at", TIME, nullable=True))
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.alter_column("delete_originals", server_default=None)

    op.create_table(
        "uploads",
        *required(sa.String(), "owner", "key", "job_id"),
        *required(TIME, "begun_at"),
        *optional(sa.String(), "lease_token", "fingerprint"),
        *optional(TIME, "lease_expires_at"),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_lease_expires_at", "uploads", ["lease_expires_at"])

    op.create_table(
        "archives",
        *required(sa.String(), "job_id", "name", "kind", "sha256"),
        *required(sa.BigInteger(), "size_bytes", "position", "unpacked_bytes", "crashes"),
        *required(sa.JSON(), "left_alone"),
        *optional(sa.String(), "lease_token", "worker"),
        *optional(TIME, "unpacked_at", "lease_expires_at"),
        part_of("archives", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_archives")),
    )

    op.create_table(
        "erasures",
        *required(sa.String(), "job_id", "owner", "reason"),
        *required(TIME, "requested_at"),
        *required(sa.BigInteger(), "photos", "faces", "in_place"),
        *optional(TIME, "completed_at"),
        *optional(sa.BigInteger(), "originals", "thumbnails", "archives", "size_bytes"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_completed_at", "erasures", ["completed_at"])


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_table("archives")
    op.drop_table("uploads")
    op.drop_column("jobs", "originals_deleted_at")
    op.drop_column("jobs", "delete_originals")
