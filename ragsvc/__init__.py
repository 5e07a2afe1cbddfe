"""Documents in, answers out whose every citation is checked against a stored version of its source.

load -> chunk -> embed -> index           ``pipelines/ingest.py``
retrieve -> prompt -> generate -> cite    ``pipelines/answer.py``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragsvc.wiring import Service, open_service

__all__ = ["Service", "open_service"]


def __getattr__(name: str) -> object:
    # The command line asks for --help more often than for a service: nothing heavy until then.
    if name in __all__:
        from ragsvc import wiring

        return getattr(wiring, name)
    raise AttributeError(f"module 'ragsvc' has no attribute {name!r}")
