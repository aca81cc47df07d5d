"""Alembic migrations. They run as the owner's role; see `service.db.migrate`."""
