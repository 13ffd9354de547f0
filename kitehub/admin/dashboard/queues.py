"""What waits for a person: each queue is a count that leads to the list of what is in it."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Work of one kind: how much there is, and where it is done.

    ``count`` is exact unless ``capped``: then there are at least so many. ``icon`` is a Material
    Symbol; who may not do ``permission`` ("app.view_model") never sees the queue.
    """

    title: str | Promise
    count: int
    capped: bool
    address: str
    icon: str
    permission: str


def queues(request: HttpRequest) -> list[Queue]:
    """The queues that the signed-in person may see, the most urgent first."""
    return []
