"""The tables. Ordinals are small integers for the index columns; ids are hashes for the outside world.

A version row is never deleted, only emptied: an older index generation may still hold its ordinal, and
what is not in the table could not be excluded from a search.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

collections = Table(
    "collections",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("domain", String, nullable=False),
    Column("time_zone", String, nullable=False),
    Column("model", String, nullable=False, server_default=""),
    Column("strategy", String, nullable=False, server_default=""),
    Column("abstention", Text, nullable=False, server_default=""),
    Column("created_at", Float, nullable=False),
)

works = Table(
    "works",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("work_id", String, nullable=False, unique=True),
    Column("collection", ForeignKey("collections.ordinal"), nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("issuer", String, nullable=False),
    Column("number", String, nullable=False),
)

work_names = Table(
    "work_names",
    metadata,
    Column("collection", ForeignKey("collections.ordinal"), primary_key=True),
    Column("name_key", String, primary_key=True),
    Column("work", ForeignKey("works.ordinal"), primary_key=True),
)

documents = Table(
    "documents",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("document_id", String, nullable=False, unique=True),
    Column("work", ForeignKey("works.ordinal"), nullable=False, index=True),
    Column("part", String, nullable=False),
    Column("url", String),
)

versions = Table(
    "versions",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("version_id", String, nullable=False, index=True),
    Column("document", ForeignKey("documents.ordinal"), nullable=False, index=True),
    Column("collection", ForeignKey("collections.ordinal"), nullable=False, index=True),
    # staged: not committed; live; inactive: not in the current generation, may return by a switch; removed: emptied
    Column("state", String, nullable=False),
    Column("name", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("length", Integer, nullable=False),  # of the text, in code points: counting would read all of it
    Column("media_type", String, nullable=False),
    Column("language", String, nullable=False),
    Column("source_sha256", String, nullable=False, index=True),
    Column("chunked_by", String, nullable=False),
    Column("promulgated", Date),
    Column("effective_from", Date),
    Column("effective_to", Date),
    Column("superseded_from", Date),
    Column("validity_source", String, nullable=False),
    Column("job_id", String, nullable=False),
    Column("added_change", Integer),
    Column("replaced_change", Integer),
    Column("created_at", Float, nullable=False),
    Column("notes", Text, nullable=False, server_default="{}"),  # JSON of ``ReadingNotes``
    Column("facts", Text, nullable=False, server_default="[]"),  # JSON array of the figures that the format tags
    # Of the few staged rows only: an index of all states tempts SQLite to start every look-up from "live".
    Index("staged_versions", "state", sqlite_where=text("state = 'staged'")),
    Index("one_live_version", "version_id", unique=True, sqlite_where=text("state = 'live'")),
)

chunks = Table(
    "chunks",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("chunk_id", String, nullable=False),
    Column("version", ForeignKey("versions.ordinal"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("locator", String, nullable=False),
    Column("address", String, nullable=False),
    Column("heading_path", String, nullable=False),  # JSON array
    Column("is_leaf", Boolean, nullable=False),
    Column("is_searchable", Boolean, nullable=False),
    Column("parent", Integer),
    Column("frame", String),  # JSON object, of a table
    Index("chunks_by_version", "version", "position"),
    Index("chunks_by_address", "version", "address", sqlite_where=text("address != ''")),
)

chunk_vectors = Table(
    "chunk_vectors",
    metadata,
    Column("chunk", Integer, primary_key=True),
    Column("window", Integer, primary_key=True),
    Column("embedding_key", LargeBinary, primary_key=True),  # of several embedders side by side
    sqlite_with_rowid=False,
)

vectors = Table(
    "vectors",
    metadata,
    Column("embedding_key", LargeBinary, primary_key=True),
    Column("embedder_id", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian
)

generations = Table(
    "generations",
    metadata,
    Column("generation_id", String, primary_key=True),
    Column("embedder_id", String, nullable=False),
    Column("change_number", Integer, nullable=False),
    Column("n_chunks", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
)

head = Table(  # one row: what every request reads once, at its start
    "head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("generation_id", String, nullable=False),
    Column("change_number", Integer, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False, index=True),
    Column("payload", Text, nullable=False),  # JSON: what to do
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("error", Text),
    Column("result", Text),  # JSON
    Column("owner", String),
    Column("lease_until", Float),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("key_hash", String, nullable=False, unique=True),
    Column("scopes", String, nullable=False),  # JSON array
    Column("collections", String, nullable=False),  # JSON array; empty = all
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("old_key_hash", String, index=True),  # of the secret before this one, good until old_until
    Column("old_until", Float),
    Column("requests_per_minute", Integer),  # null = as the settings say, 0 = no limit
    Column("questions_per_day", Integer),
    Column("tokens_per_day", Integer),
)

key_origins = Table(  # where pages may use tickets of a key; none listed, none allowed
    "key_origins",
    metadata,
    Column("key_id", ForeignKey("keys.key_id"), primary_key=True),
    Column("origin", String, primary_key=True, index=True),
)

ticket_secret = Table(  # one row
    "ticket_secret",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
)

tickets = Table(  # until they expire
    "tickets",
    metadata,
    Column("ticket_id", String, primary_key=True),
    Column("key_id", ForeignKey("keys.key_id"), nullable=False),
    Column("expires_at", Integer, nullable=False, index=True),
    Column("revoked_at", Float),
)

receipts = Table(  # answers that were kept: what their citations rest on
    "receipts",
    metadata,
    Column("answer_id", String, primary_key=True),
    Column("asked_at", Float, nullable=False, index=True),
    Column("key_id", String),
    Column("question", Text),  # only where the asker agreed to its being kept
    Column("collections", String, nullable=False),  # JSON array
    Column("as_of", Date),
    Column("answer", Text, nullable=False),
    Column("index_generation", String, nullable=False),
)

receipt_citations = Table(
    "receipt_citations",
    metadata,
    Column("answer_id", ForeignKey("receipts.answer_id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("marker", String, nullable=False),
    Column("version_id", String, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("quote", Text, nullable=False),
    Column("title", String, nullable=False),
    Column("locator", String, nullable=False),
    Index("receipt_citations_by_version", "version_id", "start"),
)

feedback = Table(  # what readers said about answers; the receipt of each is in "receipts"
    "feedback",
    metadata,
    Column("feedback_id", String, primary_key=True),
    Column("answer_id", ForeignKey("receipts.answer_id", ondelete="CASCADE"), nullable=False),
    Column("marker", String, nullable=False),  # of the citation that it is about; empty = the answer
    Column("given_at", Float, nullable=False, index=True),
    Column("key_id", String, nullable=False),
    Column("collections", String, nullable=False),  # JSON array; empty = all
    Column("rating", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("comment", Text, nullable=False),
    Column("model", String, nullable=False),
    UniqueConstraint("answer_id", "marker"),
)

conversations = Table(  # kept because their askers wanted that
    "conversations",
    metadata,
    Column("conversation_id", String, primary_key=True),
    Column("key_id", String, nullable=False, index=True),  # whose it is; empty = of a home without keys
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False, index=True),
)

conversation_turns = Table(  # a turn is written twice: its question when it comes, its answer when that is whole
    "conversation_turns",
    metadata,
    Column("conversation_id", ForeignKey("conversations.conversation_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("asked_at", Float, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer_id", String),
    Column("answer", Text),  # JSON; null = unanswered
)

assistants = Table(
    "assistants",
    metadata,
    Column("assistant_id", String, primary_key=True),
    Column("profile", Text, nullable=False),  # JSON
)
