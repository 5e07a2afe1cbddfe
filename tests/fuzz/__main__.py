"""``python -m tests.fuzz --seconds N``: new examples of every property until the time is over."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import cycle

from hypothesis import HealthCheck, Verbosity, given, settings

from tests.fuzz import properties

ROUND = 50
"""Examples of a property before it is the next one's turn."""


def main() -> None:
    """Run; a failure ends it with the smallest example."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=sys.modules["tests.fuzz"].__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long [600]")
    end = time.monotonic() + parser.parse_args().seconds
    counted = {"texts": 0, "files": 0, "slow files": 0}
    held = (properties.TEXTS, properties.FILES, properties.SLOW_FILES)
    for name, one in cycle(zip(counted, held, strict=True)):
        if time.monotonic() > end:
            break
        n_examples = ROUND if name != "slow files" else ROUND // 5
        bounded = settings(
            max_examples=n_examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.normal,
        )
        bounded(given(one.examples)(one.check))()
        counted[name] += n_examples
        sys.stderr.write(f"\r{counted}")
    sys.stdout.write(f"\nheld for {counted}\n")


if __name__ == "__main__":
    main()
