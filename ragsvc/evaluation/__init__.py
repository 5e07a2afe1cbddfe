"""Measures the service on labelled sets: metrics, retrieval run by run and query by query, reports, abstention."""
