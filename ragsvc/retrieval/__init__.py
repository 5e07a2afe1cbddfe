"""A question becomes hits: exact addresses, keywords, vectors, their fusion and reranking."""
