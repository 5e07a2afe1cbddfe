"""What this home may fetch from the network, as its settings say."""

from __future__ import annotations

import io
from functools import cached_property

from ragsvc.loading.fetch import Fetcher, FetchLimits
from ragsvc.security.urls import UrlPolicy
from ragsvc.settings import Settings

PICTURE_SECONDS = 10.0
"""A question waits for its pictures."""


class Network:
    """Fetches documents for whoever may ingest, and pictures for whoever may ask."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def documents(self) -> Fetcher:
        """From any host of the public network, and those of ``private_hosts``."""
        policy = UrlPolicy(private_hosts=self._settings.private_hosts)
        return Fetcher(policy, contact=self._settings.contact)

    @cached_property
    def _pictures(self) -> Fetcher:
        """From the hosts of ``image_hosts`` alone, over https."""
        settings = self._settings
        policy = UrlPolicy(schemes=("https",), hosts=settings.image_hosts, private_hosts=settings.private_hosts)
        return Fetcher(policy, contact=settings.contact)

    async def picture(self, url: str, most_bytes: int) -> bytes:
        """Return what is at the address of a picture. Redirects are not followed: they would leave the list.

        Raises:
            InvalidInput: it may not be fetched from there, or is larger than ``most_bytes``.
            UpstreamFailed: the host did not give it.
        """
        limits = FetchLimits(
            file_bytes=most_bytes, seconds=PICTURE_SECONDS, silence_s=PICTURE_SECONDS, redirects=0, attempts=1
        )
        found = io.BytesIO()
        await self._pictures.fetch(url, found, limits)
        return found.getvalue()
