"""A constraint and an index that the next version wants."""

from service.migrations.online import build_index, check

revision = "0003_next"
down_revision = "0002_next"
branch_labels = None
depends_on = None


def upgrade() -> None:
    check("engagements", "speech_is_short", "length(speech) < 9")
    build_index("engagements_by_speech", "engagements (workspace_id, speech)")
