"""``python -m ragsvc`` is the command line."""

from ragsvc.cli import main

main()
