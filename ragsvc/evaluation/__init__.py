"""Measures the service on labelled sets: pure metrics, sets in BEIR layout, retrieval and abstention runs."""
