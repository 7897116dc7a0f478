"""Runs the migrations: one at a time over all processes, each in its own transaction."""

from alembic import context
from sqlalchemy import pool, text

from console.infra.db.timelines import create_engine

connection_url = context.config.attributes["url"]
engine = create_engine(connection_url, poolclass=pool.NullPool)

with engine.connect() as connection:
    connection.execute(text("select pg_advisory_lock(hashtext('console.migrate'))"))  # two starts at once
    connection.execute(text("create schema if not exists console"))
    connection.commit()
    context.configure(connection=connection, version_table_schema="console", transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.execute(text("select pg_advisory_unlock(hashtext('console.migrate'))"))
    connection.commit()
engine.dispose()
