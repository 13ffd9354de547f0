"""Lists that take any address: what cannot be looked up is said so, and never an error of ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import (
    FieldError,
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from unfold.views import ChangeList

logger = logging.getLogger(__name__)

# These say what they mean themselves: an answer of their own, or a database that is down.
TELLING = (
    IncorrectLookupParameters,
    SuspiciousOperation,
    PermissionDenied,
    Http404,
    ImproperlyConfigured,
    OperationalError,
    InterfaceError,
)
# What values that cannot be looked up are known to end in.
EXPECTED = (
    DatabaseError,
    FieldError,
    ValidationError,
    ValueError,
    TypeError,
    OverflowError,
)


class CarefulChangeList(ChangeList):
    """A list whose address may hold anything.

    Django checks the parameters as far as it can without asking the database, and what only the
    database, its driver or Python's calendar refuses would be a 500. Here it is what Django makes
    of parameters that it refuses itself: a redirect to the whole list.
    """

    date_hierarchy: Any
    filter_params: dict[str, Any]

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters, in which the calendar may go up to its last day."""
        asked = self.filter_params
        self.filter_params = self._without_an_end(asked)
        try:
            with blaming_the_address(request):
                return super().get_filters(request)
        finally:
            self.filter_params = asked

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """The rows that the address asks for."""
        with blaming_the_address(request):
            return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """Fetches the page's rows at once: in the template it would be too late to redirect."""
        with blaming_the_address(request):
            super().get_results(request)
            if request.method == "GET":  # An action shows no rows.
                len(self.result_list)

    def _without_an_end(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The parameters; for a period up to the calendar's last day, only from when on.

        Django would compute the day after.
        """
        names = [f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")]
        given = [asked[name][-1] for name in names if name in asked]
        last = [str(part) for part in (date.max.year, date.max.month, date.max.day)]
        # A year, or a year and its last month, or the last day.
        if not self.date_hierarchy or not given or given != last[: len(given)]:
            return asked
        year, month, day = (*map(int, given), 1, 1)[:3]
        start = timezone.make_aware(datetime(year, month, day))  # noqa: DTZ001
        others = {name: values for name, values in asked.items() if name not in names}
        return {**others, f"{self.date_hierarchy}__gte": [start]}


class CarefulLists:
    """For a ModelAdmin: its list is a CarefulChangeList, and its actions take any choice."""

    opts: Any

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CarefulChangeList]:
        """The class that reads the list's address."""
        return CarefulChangeList

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Runs an action; raises ValidationError where a chosen row's key is no key."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self.opts.pk.to_python(key)
        return super().response_action(request, queryset)  # type: ignore[misc,no-any-return]


@contextmanager
def blaming_the_address(request: HttpRequest) -> Iterator[None]:
    """Turns errors into IncorrectLookupParameters where the address asks for something.

    The bare list has nothing to blame but us.
    """
    try:
        yield
    except TELLING:
        raise
    except Exception as error:
        if not set(request.GET) - {ERROR_FLAG}:
            raise
        # What no value of an address is known to cause may be our own fault: with its traceback.
        level, trace = (
            (logging.INFO, None) if isinstance(error, EXPECTED) else (logging.ERROR, error)
        )
        logger.log(level, "%s cannot be looked up: %s", request.path, error, exc_info=trace)
        raise IncorrectLookupParameters(error) from error
