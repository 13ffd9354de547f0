"""Reads the address of a list and fetches what it asks for, at the same cost on any table."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zlib import crc32

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import (
    IS_POPUP_VAR,
    TO_FIELD_VAR,
    IncorrectLookupParameters,
)
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, SEARCH_VAR
from django.core.exceptions import (
    FieldDoesNotExist,
    FieldError,
    ImproperlyConfigured,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from kitehub.backoffice.chips import Chip, chips_of
from kitehub.backoffice.counts import (
    MOST_COUNTED,
    TooLong,
    count_up_to,
    counts_within,
    spoken,
    within,
)
from kitehub.backoffice.filters import DayRangeFilter, Preset
from kitehub.backoffice.keyset import AFTER, BEFORE, PAGE_PARAMETERS, Order
from kitehub.backoffice.sums import SUM, Sum, count_and_sums, sums_of
from kitehub.backoffice.tabs import TAB, ShownTab, Tab

logger = logging.getLogger(__name__)

# Several filters at once may find no index for all of them; nobody waits longer for that.
LIST_SECONDS = 10
# Parameters that narrow nothing.
_SHOWING = {ORDER_VAR, TAB, ALL_VAR, ERROR_FLAG, IS_POPUP_VAR, TO_FIELD_VAR, "_facets"}

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
    _tabs: Sequence[Tab] = ()
    # What a page's links lead to: cursors, empty where there is no such page.
    next_cursor = previous_cursor = ""
    # How many rows there are on all pages, MOST_COUNTED + 1 for more than that.
    counted = 0
    sums: list[Sum] | None = None
    # Whether the database was stopped before it had found the rows, or their sum.
    too_long = sum_too_long = False

    # --- Rows ---------------------------------------------------------------------------------

    @property
    def narrowing(self) -> dict[str, list[str]]:
        """The parameters that narrow the list, but for the tab."""
        return {
            name: values
            for name, values in self.filter_params.items()
            if name not in _SHOWING and any(values)
        }

    @property
    def tab(self) -> Tab | None:
        """The tab that is open; none for an unknown one."""
        asked = self.params.get(TAB, "")
        return next((each for each in self._tabs if each.key == asked), None)

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """What may be lookups: neither Django's own parameters nor the list's."""
        given = super().get_filters_params(params)
        own = (*PAGE_PARAMETERS, TAB, SUM)
        return {name: values for name, values in given.items() if name not in own}

    def get_filters(self, request: HttpRequest) -> Any:
        """The filters; raises IncorrectLookupParameters for what the list may not be asked for."""
        try:
            with blaming_the_address(request):
                return super().get_filters(request)
        except DisallowedModelAdminLookup as error:
            raise IncorrectLookupParameters(error) from error

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """The rows that the address asks for, on all pages."""
        self._tabs = self.model_admin.get_tabs(request)
        # No link leads to the same page of something else.
        for name in (*PAGE_PARAMETERS, SUM):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        self._open_tab()
        with blaming_the_address(request):
            self.outside_tabs = super().get_queryset(request, exclude_parameters)
            return self._in(self.tab)

    def _open_tab(self) -> None:
        """Takes `?status__exact=PAID`, as links elsewhere have it, for the tab of the same rows."""
        for tab in () if TAB in self.params else self._tabs:
            for name in [f"{column}__exact" for column, _value in tab.columns]:
                if self.params.get(name) == tab.key and len(self.filter_params[name]) == 1:
                    for given in (self.params, self.filter_params):
                        del given[name]
                    self.params[TAB], self.filter_params[TAB] = tab.key, [tab.key]
                    return

    def _in(self, tab: Tab | None) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.outside_tabs
        return rows.filter(tab.condition()) if tab else rows

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
            if order and not order.ranged:
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

    # --- Results ------------------------------------------------------------------------------

    def get_results(self, request: HttpRequest) -> None:
        """Fetches the page's rows at once: in the template it would be too late to redirect."""
        self.result_list: list[Any] = []
        self.tabs: list[ShownTab] = []
        with blaming_the_address(request):
            try:
                if not self._has_an_index:
                    with within(LIST_SECONDS, using=self.queryset.db):
                        self._fetch(request)
                else:
                    self._fetch(request)
            except TooLong:
                self.too_long, self.result_list = True, []
            self.tabs = self.tabs or self._shown_tabs([])
            asked = request.GET.get(SUM) == self._digest
            if asked and self.model_admin.sums and not self.too_long:
                self._sum_all()
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        # Rows of other pages can be chosen too where all of them are counted.
        few = self.counted <= MOST_COUNTED
        self.result_count = self.counted if few else len(self.result_list)
        # Where they differ, unfold says beside the title how many there are; the foot does.
        self.full_result_count = self.result_count

    @property
    def _has_an_index(self) -> bool:
        """Whether what was asked for is one of those that have: a search, a tab, an order."""
        asked = (bool(self.narrowing), self.tab is not None, self.order != self._orders[0])
        return not self.narrowing.keys() - {SEARCH_VAR} and sum(asked) < 2

    def _fetch(self, request: HttpRequest) -> None:
        self.result_list = self._page(request)
        self.counted = len(self.result_list)
        # An action shows none of what follows.
        if request.method == "GET":
            self._count()

    def _count(self) -> None:
        if not self.narrowing and self._tabs:
            # As declared, whichever order was chosen: that is what the tabs have indexes for.
            names = self._orders[0].names
            sets = [self.outside_tabs, *map(self._in, self._tabs)]
            whole, *parts = (rows.order_by(*names) for rows in sets)
            counts = counts_within(whole, parts)
            self.tabs = self._shown_tabs(counts)
            position = [None, *self._tabs].index(self.tab)
            self.counted = counts[position]
        elif self.next_cursor or self.previous_cursor:
            # What is searched has an index of its own, which counts without a look at the rows.
            searched = not self.narrowing.keys() - {SEARCH_VAR} and self.tab is None
            self.counted = count_up_to(self.queryset.order_by() if searched else self.queryset)
        if self.model_admin.sums and 0 < self.counted <= MOST_COUNTED:
            self.sums = sums_of(self.queryset, self.model_admin.sums)

    def _page(self, request: HttpRequest) -> list[Any]:
        """The rows behind or before the cursor; the first ones where there is none.

        So they are where the cursor's rows are done meanwhile, and nothing is left beyond it.
        """
        size, order, here = self.list_per_page, self.order, self.first_url
        turned = order.turned()
        before = order.position(self.model, request.GET.get(BEFORE, ""), of=here)
        after = order.position(self.model, request.GET.get(AFTER, ""), of=here)
        most = size + 1
        if before and (
            found := list(turned.beyond(self.queryset.order_by(*turned.names), before)[:most])
        ):
            page = found[:size][::-1]
            more_before, more_after = len(found) > size, True
        else:
            found = list(order.beyond(self.queryset, after)[:most]) if after else []
            more_before = bool(found)
            found = found or list(self.queryset[:most])
            page, more_after = found[:size], len(found) > size
        if page:
            self.previous_cursor = order.cursor(page[0], of=here) if more_before else ""
            self.next_cursor = order.cursor(page[-1], of=here) if more_after else ""
        return page

    def _sum_all(self) -> None:
        try:
            self.counted, self.sums = count_and_sums(self.queryset, self.model_admin.sums)
        except TooLong:
            self.sum_too_long = True

    # --- For the page -------------------------------------------------------------------------

    def _shown_tabs(self, counts: list[int]) -> list[ShownTab]:
        keys: list[Tab | None] = [None, *self._tabs]
        if len(keys) == 1:
            return []
        said = [*map(spoken, counts)] or [""] * len(keys)
        return [
            ShownTab(
                tab.label if tab else _("All"),
                self.get_query_string({TAB: tab.key if tab else None}),
                tab == self.tab,
                count,
            )
            for tab, count in zip(keys, said, strict=True)
        ]

    @property
    def chips(self) -> list[Chip]:
        """What narrows the list, each with the way to take it off."""
        return chips_of(self)

    @property
    def refusals(self) -> list[str]:
        """What of the filters can't be read, for which nothing is listed."""
        return [said for each in self.filter_specs if (said := getattr(each, "refusal", str)())]

    @property
    def presets(self) -> list[Preset]:
        """The usual periods of the first range of days."""
        days = (each for each in self.filter_specs if isinstance(each, DayRangeFilter))
        return next((each.presets(self) for each in days), [])

    @property
    def period(self) -> str:
        """What the periods are of."""
        days = (each for each in self.filter_specs if isinstance(each, DayRangeFilter))
        return next((str(each.title) for each in days), "")

    @property
    def said_count(self) -> str:
        """How many rows there are, as people read it."""
        exact = self.sums is not None and self.counted > MOST_COUNTED
        return spoken(self.counted, most=self.counted if exact else MOST_COUNTED)

    @property
    def cleared_url(self) -> str:
        """The list with nothing taken off but what narrows it."""
        return self._link(dict.fromkeys(self.narrowing))

    @property
    def sum_url(self) -> str:
        """The same list, with the sums of all pages."""
        return self._link({SUM: self._digest})

    @property
    def _digest(self) -> str:
        """A name of the list: a form that keeps the address's parameters asks for no other sum."""
        return f"{crc32(self.first_url.encode()):x}"

    @property
    def first_url(self) -> str:
        """The first page."""
        return self._link()

    @property
    def next_url(self) -> str:
        """The next page; empty on the last one."""
        return self._link({AFTER: self.next_cursor}) if self.next_cursor else ""

    @property
    def previous_url(self) -> str:
        """The page before; empty on the first one."""
        cursor = self.previous_cursor
        return self._link({BEFORE: cursor}) if cursor else ""

    def _link(self, parameters: dict[str, Any] | None = None) -> str:
        return str(self.get_query_string(parameters))


class RowsOnly(CarefulChangeList):
    """The rows of an address without a page of them."""

    def get_results(self, request: HttpRequest) -> None:
        """Asks for none."""
        self.result_list = []
        self.result_count = 0


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
