"""Releases to deploy: copies of the code, each with a migration more than the one before it and a model that wants its column."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "workers", "integrations", "sandbox", "chaos")
_VERSIONS = Path("service/migrations/versions")
_MODEL = Path("service/models/connections.py")
_AFTER = '    __tablename__ = "streams"\n'  # read and written by every pull, so that new code fails without its column

_MIGRATION = '''"""Release {number} of chaos."""

import sqlalchemy as sa
from alembic import op

revision = "chaos_{number}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("streams", sa.Column("chaos_{number}", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("streams", "chaos_{number}")
'''


@dataclass(frozen=True)
class Release:
    """A folder that Warmline runs from."""

    number: int
    tree: Path

    @property
    def head(self) -> str:
        """The migration that it wants."""
        config = AlembicConfig()
        config.set_main_option("script_location", str(self.tree / "service" / "migrations"))
        found = ScriptDirectory.from_config(config).get_current_head()
        assert found
        return found


def first(folder: Path) -> Release:
    """The code as it stands here, where nobody's edit reaches it."""
    release = Release(0, folder / "release-0")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, release.tree / package)
    return release


def following(before: Release) -> Release:
    """The next release."""
    number = before.number + 1
    release = Release(number, before.tree.with_name(f"release-{number}"))
    shutil.copytree(before.tree, release.tree)
    migration = _MIGRATION.format(number=number, before=before.head)
    (release.tree / _VERSIONS / f"chaos_{number}.py").write_text(migration)
    model = release.tree / _MODEL
    column = f'    chaos_{number}: Mapped[str] = mapped_column(Text, default="", server_default="")\n'
    text, found = re.subn(re.escape(_AFTER), _AFTER + column, model.read_text())
    assert found == 1
    model.write_text(text)
    return release
