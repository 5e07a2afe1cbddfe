"""All tables as of the first release; until then this one revision follows ``schema.py``."""

from alembic import op

from ragsvc.store.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    metadata.create_all(op.get_bind())
