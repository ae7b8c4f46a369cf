"""Alembic migrations; they make the schema everywhere."""
