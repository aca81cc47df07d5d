"""How a migration changes a table that is in use. CONTRIBUTING.md has the rules, and tests look whether they are kept.

These end the transaction before them, so they stand in a migration with nothing but their like; each may run twice.
"""

from __future__ import annotations

from alembic import op


def build_index(name: str, on: str, *, unique: bool = False) -> None:
    """Builds an index while others write, `on` being "table (columns)". One that was interrupted left an index
    that nobody uses, and is begun anew."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for old transactions, and nobody waits for it
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")


def check(table: str, name: str, condition: str) -> None:
    """Adds a constraint that holds for new rows at once, and is proven for old ones without stopping those who write."""
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")  # of a try that was broken off in between
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
