"""Measures ragsvc and, in the same run, the stack that people would otherwise build: ``make bench``.

    __main__.py          options; runs the parts one after another; writes the table and build/bench.json
    parts.py             a part = a fresh process with its own peak memory; a server on loopback
    questions.py         the labelled set of a run, timing of questions, quality of rankings
    ingest.py            statutes from disk to searchable
    search.py            hybrid search in process
    serving.py           search over HTTP, cold start, command line
    langchain_stack.py   LangChain's splitter, FAISS store, BM25 and ensemble on the same documents and questions
    report.py            figures -> Markdown

Only ``langchain_stack`` imports the peers, which are in the bench's own environment.
"""
