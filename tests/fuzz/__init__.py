"""Random damage for loaders and random texts for chunkers: a little in every test run, more on demand.

``python -m tests.fuzz --seconds 600`` goes on for ten minutes with new examples each time; a failure is printed as the
smallest example that was found, and a file that failed is kept in ``build/fuzz/``.
"""
