"""The catalogue: works, documents, versions, chunks, vectors, jobs and keys in one SQL database.

It is the truth. An index generation is derived from it and can be rebuilt without embedding again.
SQLAlchemy stays in this folder; what leaves it are the records of ``rows.py``.
"""
