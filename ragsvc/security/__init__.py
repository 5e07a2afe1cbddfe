"""Decisions on values passed in: who may do what, which input is acceptable. No files, no network, no state."""
