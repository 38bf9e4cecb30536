"""the first tables: jobs, photos, faces"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.columns import TIME, optional, part_of, required

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        *required(sa.String(), "id", "owner", "state", "options_fingerprint", "bundle_name", "bundle_sha256"),
        *required(sa.BigInteger(), "priority"),
        *required(sa.JSON(), "options", "metadata"),
        *required(TIME, "created_at"),
        *optional(sa.String(), "label", "outcome"),
        *optional(TIME, "submitted_at", "started_at", "ended_at", "results_expire_at"),
        *optional(sa.JSON(), "final_counts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_owner_created_at", "jobs", ["owner", "created_at", "id"])
    op.create_index("ix_jobs_state", "jobs", ["state"])

    op.create_table(
        "photos",
        *required(sa.String(), "id", "job_id", "owner", "custom_id", "status"),
        *required(sa.BigInteger(), "ordinal", "attempts", "crashes", "read_errors", "face_count"),
        *optional(sa.String(), "in_place_path", "sha256", "lease_token", "worker"),
        *optional(sa.String(), "options_fingerprint", "bundle_name", "bundle_sha256"),
        *optional(sa.String(), "precision", "reused_from"),
        *optional(sa.BigInteger(), "size_bytes", "width", "height", "exif_orientation"),
        *optional(sa.Double(), "scale"),
        *optional(TIME, "lease_expires_at", "finished_at"),
        *optional(sa.JSON(), "timings_ms", "warnings", "error"),
        part_of("photos", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("job_id", "custom_id", name=op.f("uq_photos_job_id_custom_id")),
    )
    op.create_index("ix_photos_claim", "photos", ["job_id", "status", "ordinal", "face_count"])
    op.create_index("ix_photos_job_id_ordinal", "photos", ["job_id", "ordinal"], unique=True)
    for name, columns, condition in (
        ("ix_photos_leases", ["lease_expires_at"], sa.text("status = 'running'")),
        ("ix_photos_reuse", ["owner", "sha256"], sa.text("status = 'succeeded'")),
    ):
        op.create_index(name, "photos", columns, sqlite_where=condition, postgresql_where=condition)

    op.create_table(
        "faces",
        *required(sa.String(), "photo_id", "job_id", "gender", "age_group"),
        *required(sa.BigInteger(), "index"),
        *required(sa.Boolean(), "uncertain"),
        *required(sa.JSON(), "document"),
        part_of("faces", "job_id", "jobs"),
        part_of("faces", "photo_id", "photos"),
        sa.PrimaryKeyConstraint("photo_id", "index", name=op.f("pk_faces")),
    )
    op.create_index("ix_faces_job_id_gender_age_group", "faces", ["job_id", "gender", "age_group"])


def downgrade() -> None:
    op.drop_table("faces")
    op.drop_table("photos")
    op.drop_table("jobs")
