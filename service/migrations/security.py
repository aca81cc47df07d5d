"""Row-level security for tenants' tables and the grants of the three roles. Every migration that makes a table calls these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alembic import op

# An unset or empty setting is no workspace, and no workspace sees no rows.
WORKSPACE = "nullif(current_setting('app.workspace_id', true), '')::uuid"


def isolate(*tables: str) -> None:
    """Forces row-level security on tenants' tables and lets the application in, one workspace at a time."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY workspace ON {table} USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO warmline_app")


def share(*tables: str) -> None:
    """Lets the application use global tables."""
    for table in tables:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO warmline_app")


def schedule(table: str, *, sees: Sequence[str], changes: Sequence[str]) -> None:
    """Lets the scheduler see ids, due and lease columns of all tenants, and change the latter; nothing else."""
    op.execute(f"CREATE POLICY schedule ON {table} TO warmline_scheduler USING (true) WITH CHECK (true)")
    op.execute(
        f"GRANT SELECT ({', '.join([*sees, *changes])}), UPDATE ({', '.join(changes)}) ON {table} TO warmline_scheduler"
    )


def watch(table: str, columns: Sequence[str]) -> None:
    """Lets the scheduler's role count rows of all tenants by these columns, for whoever runs Warmline; it changes nothing."""
    op.execute(f"CREATE POLICY watch ON {table} FOR SELECT TO warmline_scheduler USING (true)")
    op.execute(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO warmline_scheduler")


SCHEDULED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "streams": (("workspace_id", "id", "status", "urgent"), ("next_pull_at", "lease_id", "lease_until")),
    "connections": (("workspace_id", "id", "status"), ("next_push_at", "push_lease_id", "push_lease_until")),
    "calendar_feeds": (("workspace_id", "id"), ("next_fetch_at", "lease_id", "lease_until")),
    "person_requests": (("workspace_id", "id"), ("next_at", "lease_id", "lease_until")),
    "errands": (("workspace_id", "id"), ("next_at", "lease_id", "lease_until")),
    "workspace_schedule": (("workspace_id",), ("decide_at", "lease_id", "lease_until")),
}
# Ids, instants, counts and words of ours: how all of it is, and nothing that anybody said or wrote.
WATCHED: Mapping[str, tuple[str, ...]] = {
    "streams": ("connection_id", "name", "failures", "waits_for", "last_pulled_at", "last_item_at", "served_at"),
    "connections": ("provider", "kind", "status_at", "paused_at", "ready_at", "push_failures"),
    "tasks": ("workspace_id", "id", "kind", "crm_connection_id", "parked_at"),
    "spend": ("workspace_id", "connection_id", "day", "name", "reads"),
    "spend_months": ("month", "micros"),
}
