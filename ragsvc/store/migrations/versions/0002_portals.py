"""Origins and tickets of portals. A new home has them from the first revision on: what is there, stays."""

from alembic import op

from ragsvc.store.schema import key_origins, metadata, ticket_secret, tickets

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that are missing."""
    metadata.create_all(op.get_bind(), tables=[key_origins, ticket_secret, tickets])
