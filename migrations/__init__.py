"""The history of the database schema, one alembic revision per change. Run by `mdm.store.migrate`."""
