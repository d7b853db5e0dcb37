"""How alembic runs a revision: on the connection that `mdm.store.migrate` hands over, each in its own transaction."""

from alembic import context

from mdm.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
