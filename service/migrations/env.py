"""What Alembic runs: over the connection that `service.db.migrate` hands in, or as SQL on paper, where tests look at it."""

from alembic import context

from service.models import Base

connection = context.config.attributes.get("connection")
context.configure(
    connection=connection,
    dialect_name=None if connection else "postgresql",
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
