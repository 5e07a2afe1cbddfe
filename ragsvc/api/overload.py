"""A bound on how much is done at once: what is over it is told to come back, not queued until everyone waits."""

from __future__ import annotations

from collections.abc import Callable

from ragsvc.errors import Overloaded
from ragsvc.observability.metrics import IN_FLIGHT

RETRY_AFTER_S = 2.0


class Slots:
    """Counts what is in flight in this process; used from the event loop only, so it needs no lock."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def take(self) -> Callable[[], None]:
        """Take a slot and return what gives it back; calling that twice gives back once.

        Raises:
            Overloaded: all are taken.
        """
        if self.taken >= self.limit:
            raise Overloaded(
                f"{self.taken} questions are being answered, the limit is {self.limit}: try again in a moment",
                retry_after_s=RETRY_AFTER_S,
            )
        self.taken += 1
        IN_FLIGHT.inc()
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self.taken -= 1
                IN_FLIGHT.dec()

        return give_back
