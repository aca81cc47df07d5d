"""What the next version might bring: columns and a table of tenants. A test runs it beside this version."""

import sqlalchemy as sa
from alembic import op

from service.migrations.security import isolate

revision = "0002_next"
down_revision = None  # the test says which is the newest
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("engagements", sa.Column("speech", sa.Text(), nullable=True))
    op.add_column("streams", sa.Column("speeches", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("tasks", sa.Column("speech", sa.Text(), nullable=True))
    op.create_table(
        "speeches",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("speech", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "speech"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
    )
    isolate("speeches")
