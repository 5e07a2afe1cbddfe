"""The command line: parse, call, print. One file per group of verbs; nothing heavy is imported before a verb runs."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; exit 0, 1 (failed) or 2 (usage)."""
    # faiss and torch bring an OpenMP runtime each; a spinning idle pool of one starves the other.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from ragsvc.cli.app import app
    from ragsvc.errors import InvalidInput, RagsvcError

    try:
        app()
    except RagsvcError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, InvalidInput) else 1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(1)
