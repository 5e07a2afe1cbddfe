"""Documents in, answers out whose every citation is checked against a stored version of its source.

load -> chunk -> embed -> index           ``pipelines/ingest.py``
retrieve -> prompt -> generate -> cite    ``pipelines/answer.py``
"""
