"""Services that report bank transfers: who may send, and what they say. No database.

A module per service, with the same two functions: `verify(headers, raw_body, secrets, at)` raises
Refused unless the service sent the body, `parse(raw_body)` returns its lines or raises Malformed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from billing.enums import FeedProvider
from billing.feeds import casso, payos, sepay
from billing.feeds.lines import Line, Malformed, Refused, Secrets

__all__ = ["FEEDS", "Feed", "Line", "Malformed", "Refused", "Secrets"]


class Feed(Protocol):
    """What a service's module has."""

    NAME: str
    PROVIDER: FeedProvider

    def verify(
        self, headers: Mapping[str, str], raw_body: bytes, secrets: Secrets, at: datetime
    ) -> None:
        """Raises Refused unless the service sent the body."""

    def parse(self, raw_body: bytes) -> list[Line]:
        """The lines of a body. Raises Malformed."""


# By the name in the webhook's address.
FEEDS: Mapping[str, Feed] = {each.NAME: each for each in (sepay, payos, casso)}
