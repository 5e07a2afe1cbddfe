"""A question becomes hits: exact addresses, keywords, vectors and their fusion."""
