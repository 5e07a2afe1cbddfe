"""Settings become live objects. The only package that names concrete classes."""

from ragsvc.wiring.service import Service, open_service

__all__ = ["Service", "open_service"]
