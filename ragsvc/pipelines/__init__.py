"""The whole system in two files: ``ingest.py`` (documents in) and ``answer.py`` (answers out)."""
