"""Tables and columns that came after 0002. A new home has them from the first revision on: what is there, stays."""

import sqlalchemy as sa
from alembic import op

from ragsvc.store.schema import metadata

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS: list[sa.Column] = []
"""Columns of ``schema.py`` that older tables lack; each has a server default."""


def upgrade() -> None:
    """Create the tables that are missing, then the columns."""
    connection = op.get_bind()
    metadata.create_all(connection)
    for column in COLUMNS:
        known = {found["name"] for found in sa.inspect(connection).get_columns(column.table.name)}
        if column.name not in known:
            op.add_column(column.table.name, column.copy())
