"""The console's own tables in PostgreSQL: engines, transactions, ids and migrations."""
