"""Lists that take any address: what cannot be looked up is said so, and never an error of ours."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR
from django.core.exceptions import (
    FieldDoesNotExist,
    FieldError,
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.core.paginator import Paginator
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from unfold.views import ChangeList

from kitehub.backoffice.counts import CappedPaginator, count_up_to
from kitehub.backoffice.keyset import AFTER, BEFORE, PAGE_PARAMETERS, Order, order_of

logger = logging.getLogger(__name__)

# Parameters of a list that are no lookups either.
LIST_PARAMETERS = ("tab", "sum")

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
    """A list that stays quick on any table, and whose address may hold anything.

    Its pages go by key in an order that has an index, and it counts a thousand rows at most. What
    only the database, its driver or Python's calendar refuses of an address would be a 500; here
    it is what Django makes of parameters that it refuses itself: a redirect to the whole list.
    """

    model: type[Model]
    model_admin: Any
    params: dict[str, Any]
    filter_params: dict[str, Any]
    filter_specs: Any = ()
    order: Order
    # What a page's links lead to: cursors, empty where there is no such page.
    next_cursor = previous_cursor = ""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """What may be lookups: neither Django's own parameters nor the list's."""
        own = {*PAGE_PARAMETERS, *LIST_PARAMETERS}
        given = super().get_filters_params(params)
        return {name: values for name, values in given.items() if name not in own}

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters."""
        with blaming_the_address(request):
            return super().get_filters(request)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """The rows that the address asks for, on all pages."""
        # No link leads to the same page of something else.
        for name in PAGE_PARAMETERS:
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        with blaming_the_address(request):
            return super().get_queryset(request, exclude_parameters)

    # --- Order --------------------------------------------------------------------------------

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """By the column that was chosen, else by that of a range that was, else as declared."""
        self.order = self._chosen_order() or self._filter_order() or self._orders[0]
        return self.order.names

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The column that the rows are ordered by, for its header."""
        for number, shown in enumerate(self.list_display):
            field = self.get_ordering_field(shown)
            if field and self._attname(field) == self.order.columns[0]:
                return {number: "desc" if self.order.descending else "asc"}
        return {}

    @property
    def _orders(self) -> list[Order]:
        found: list[Order] = self.model_admin.indexed_orders()
        return found

    def _chosen_order(self) -> Order | None:
        """The first of the columns in the address that rows can be ordered by; the rest is not."""
        for part in str(self.params.get(ORDER_VAR, "")).split("."):
            number = part.removeprefix("-")
            if not (number.isascii() and number.isdigit() and len(number) < 4):
                continue
            if int(number) >= len(self.list_display):
                continue
            field = self.get_ordering_field(self.list_display[int(number)])
            order = self._order_by(self._attname(field)) if field else None
            if order:
                return replace(order, descending=part.startswith("-"))
        return None

    def _filter_order(self) -> Order | None:
        """That of a range which is not of the declared order's column: its index finds the rows."""
        ranges = [each.ordered_by() for each in self.filter_specs if hasattr(each, "ordered_by")]
        if self._orders[0].columns[0] in ranges:
            return None
        return next(filter(None, map(self._order_by, filter(None, ranges))), None)

    def _order_by(self, column: str) -> Order | None:
        return next((each for each in self._orders if each.columns[0] == column), None)

    def _attname(self, field: str) -> str:
        try:
            return self.model._meta.get_field(field).attname  # type: ignore[union-attr]
        except FieldDoesNotExist:
            return field

    # --- Pages --------------------------------------------------------------------------------

    def get_results(self, request: HttpRequest) -> None:
        """Fetches the page's rows at once: in the template it would be too late to redirect."""
        with blaming_the_address(request):
            self.result_list = self._page(request)
            self.result_count = count_up_to(self.queryset)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.full_result_count = None
        self.show_admin_actions = True

    def _page(self, request: HttpRequest) -> list[Any]:
        """The rows behind or before the cursor; the first ones where there is none."""
        size, order = self.list_per_page, self.order
        if before := order.position(self.model, request.GET.get(BEFORE, "")):
            turned = order.turned()
            rows = turned.beyond(self.queryset.order_by(*turned.names), before)[: size + 1]
            page = list(rows)[:size][::-1]
            more_before, more_after = len(rows) > size, True
        else:
            after = order.position(self.model, request.GET.get(AFTER, ""))
            rows = (order.beyond(self.queryset, after) if after else self.queryset)[: size + 1]
            page = list(rows)[:size]
            more_before, more_after = bool(after), len(rows) > size
        if page:
            self.previous_cursor = order.cursor(page[0]) if more_before else ""
            self.next_cursor = order.cursor(page[-1]) if more_after else ""
        return page


class RowsOnly(CarefulChangeList):
    """The rows of an address without a page of them."""

    def get_results(self, request: HttpRequest) -> None:
        """Asks for none."""
        self.result_list: list[Any] = []
        self.result_count = 0


class CarefulLists:
    """For a ModelAdmin: its list is a CarefulChangeList, and its actions take any choice.

    `ordering` and each of `more_orders` needs an index that begins with its columns and ends with
    the key (`keyset.order_of`): people may sort by the first columns of these and by no others.
    """

    opts: Any
    model: Any
    more_orders: ClassVar[Sequence[Sequence[str]]] = ()
    show_full_result_count = False
    # They would count each choice of each filter over the whole table.
    show_facets = admin.ShowFacets.NEVER

    def indexed_orders(self) -> list[Order]:
        """The orders that the list may have, the declared one first."""
        its: Any = self
        ordering = its.ordering or its.opts.ordering
        return [order_of(self.model, names) for names in (ordering, *self.more_orders)]

    def get_sortable_by(self, request: HttpRequest) -> list[str]:
        """The columns that have an index to sort by."""
        its: Any = self
        firsts = {order.columns[0] for order in self.indexed_orders()}
        found = []
        for shown in its.get_list_display(request):
            method = getattr(its, shown, None) if isinstance(shown, str) else shown
            field = getattr(method, "admin_order_field", None) or shown
            if {field, f"{field}_id"} & firsts:
                found.append(shown)
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CarefulChangeList]:
        """The class that reads the list's address."""
        return CarefulChangeList

    def filtered_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """All rows that the address of a list asks for, in its order; sends no query of its own.

        Raises IncorrectLookupParameters for an address that cannot be looked up, as the list does.
        What the search box finds in other tables is looked up at once.
        """
        its: Any = self
        shown = its.get_list_display(request)
        changes = RowsOnly(
            request,
            its.model,
            ["action_checkbox", *shown] if its.get_actions(request) else shown,
            None,
            its.get_list_filter(request),
            None,
            its.get_search_fields(request),
            its.get_list_select_related(request),
            its.list_per_page,
            its.list_max_show_all,
            (),
            its,
            its.get_sortable_by(request),
            its.search_help_text,
        )
        rows: QuerySet[Any] = changes.queryset
        return rows

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """A capped one for the table's rows; the log of one row is read to its end."""
        if getattr(queryset, "model", None) is self.model:
            return CappedPaginator(queryset, *args, **kwargs)
        return Paginator(queryset, *args, **kwargs)

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
