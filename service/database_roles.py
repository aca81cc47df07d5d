"""The three roles of the database: whether a connection is signed in as the one that it should be."""

from __future__ import annotations

from sqlalchemy import Connection, text

from service.errors import PlainError


def application(connection: Connection) -> str:
    """The name of the role, which row-level security holds. Raises PlainError."""
    name, careless, owns = connection.execute(
        text(
            "SELECT current_user, rolsuper OR rolbypassrls, EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname = 'engagements'"
            " AND pg_has_role(current_user, c.relowner, 'USAGE')) FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if careless or owns:
        raise PlainError(
            f"DATABASE_URL signs in as {name!r}, which row-level security does not hold (superuser, BYPASSRLS or owner of the"
            " tables). Give the application a role of its own and keep this one for DATABASE_ADMIN_URL."
        )
    return str(name)


def scheduler(connection: Connection) -> str:
    """The name of the role, which sees the schedule of all workspaces and nothing else. Another one finds nothing to do, or sees too much.
    Raises PlainError."""
    name, careless, member, reads = connection.execute(
        text(
            "SELECT current_user, rolsuper OR rolbypassrls, pg_has_role(current_user, 'warmline_scheduler', 'USAGE'),"
            " has_any_column_privilege('engagements', 'SELECT') FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if careless or reads:
        raise PlainError(
            f"DATABASE_SCHEDULER_URL signs in as {name!r}, which sees more than the schedule. Give the scheduler a role of its own."
        )
    if not member:
        raise PlainError(
            f"DATABASE_SCHEDULER_URL signs in as {name!r}, which may not see the schedule. Run `warmline migrate`."
        )
    return str(name)


def owner(connection: Connection) -> str:
    """The name of the role, which owns the tables. Raises PlainError."""
    name, owns = connection.execute(
        text(
            "SELECT current_user, pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'engagements'::regclass"
        )
    ).one()
    if not owns:
        raise PlainError(
            f"DATABASE_ADMIN_URL signs in as {name!r}, which does not own the tables, so it could not migrate them."
        )
    return str(name)
