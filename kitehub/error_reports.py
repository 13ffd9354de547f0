"""What an error report may show: no password or API key, also where a function was given one."""

import re
from collections.abc import ItemsView, Iterator
from types import FrameType
from typing import Any

from django.db.models import Manager, QuerySet
from django.http import HttpRequest
from django.utils.tree import Node
from django.views.debug import SafeExceptionReporterFilter

from kitehub.key_format import PATTERN

_NAMES = re.compile("pass(word|wd|phrase)|secret", re.IGNORECASE)
# Shorter texts stand in everything.
_SHORTEST = 4
# Known by its looks, whatever it is called.
_API_KEY = re.compile(PATTERN)
_DEPTH = 3


class ReportFilter(SafeExceptionReporterFilter):
    """Django's filter, which also hides what a password or secret was called with.

    A text that a frame or one of its callers holds under such a name, as a variable or as a key, is
    hidden wherever it shows. So is an API key under any name.
    """

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        """The frame's variables, without those that show a secret."""
        texts = set(_secrets_of(tb_frame))
        shown = super().get_traceback_frame_variables(request, tb_frame)
        return {
            name: self.cleansed_substitute if _shows(value, texts) else value
            for name, value in shown
        }.items()


def _secrets_of(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        for name, value in frame.f_locals.items():
            yield from _texts(name, value, _DEPTH)
        frame = frame.f_back


def _texts(name: object, value: object, depth: int) -> Iterator[str]:
    """The texts that stand under a telling name, here or inside."""
    if isinstance(value, str):
        if len(value) >= _SHORTEST and isinstance(name, str) and _NAMES.search(name):
            yield value
    elif depth and isinstance(value, dict):
        for key, each in list(value.items()):
            yield from _texts(key, each, depth - 1)
    elif isinstance(value, Node):  # a Q
        yield from _texts(name, value.children, depth)
    elif depth and isinstance(value, list | tuple):
        # A pair may be a name and its value.
        if len(value) == 2:
            yield from _texts(value[0], value[1], depth - 1)
        for each in value:
            yield from _texts(name, each, depth - 1)


def _shows(value: object, texts: set[str]) -> bool:
    if isinstance(value, QuerySet | Manager):
        return False  # to show one is to ask the database
    try:
        shown = repr(value)
    except Exception:
        return False  # the report says so itself
    if _API_KEY.search(shown):
        return True
    return any(text in shown or repr(text)[1:-1] in shown for text in texts)
