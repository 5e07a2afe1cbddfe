"""Tables and columns that came after 0002. A new home has them from the first revision on: what is there, stays."""

import sqlalchemy as sa
from alembic import op

from ragsvc.store.schema import chunks, collections, keys, metadata, versions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS: list[sa.Column] = [
    chunks.c.frame,
    *(collections.c.strategy, collections.c.abstention),
    *(versions.c.notes, versions.c.facts),
    *(keys.c.old_key_hash, keys.c.old_until),
    *(keys.c.requests_per_minute, keys.c.questions_per_day, keys.c.tokens_per_day),
]
"""Columns of ``schema.py`` that older tables lack; each may be null or has a server default."""


def upgrade() -> None:
    """Create the tables that are missing, then the columns."""
    connection = op.get_bind()
    metadata.create_all(connection)
    for column in COLUMNS:
        known = {found["name"] for found in sa.inspect(connection).get_columns(column.table.name)}
        if column.name not in known:
            default = column.server_default.arg if column.server_default else None
            new = sa.Column(column.name, column.type, nullable=column.nullable, server_default=default)
            op.add_column(column.table.name, new)
    # Counts of use left the catalogue: see store/limits.py.
    op.execute("DROP TABLE IF EXISTS ticket_days")
    if "n_left" in {found["name"] for found in sa.inspect(connection).get_columns("tickets")}:
        op.drop_column("tickets", "n_left")
