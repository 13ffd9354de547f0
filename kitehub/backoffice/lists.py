"""What every list of the admin has: an order with an index, tabs, sums, and all its rows."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import QuerySet, UUIDField
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from kitehub.backoffice.changelist import CarefulChangeList, RowsOnly
from kitehub.backoffice.counts import MOST_COUNTED, CappedPaginator, count_up_to
from kitehub.backoffice.keyset import Order, order_of
from kitehub.backoffice.lookups import allowed_parameters
from kitehub.backoffice.search import parse_uuid
from kitehub.backoffice.tabs import Tab


class CarefulLists:
    """For a ModelAdmin: its list is a CarefulChangeList, and its actions take any choice.

    `ordering` and each of `more_orders` needs an index that begins with its columns and ends with
    the key (`keyset.order_of`): people may sort by the first columns of these and by no others.
    So does each tab, with its condition before the order's columns. A table that has a row for
    each of a few things says so by `small`, and needs none of these indexes.
    """

    opts: Any
    model: Any
    more_orders: ClassVar[Sequence[Sequence[str]]] = ()
    # The same, of columns that may be NULL: the order where a range of them is asked for, only.
    range_orders: ClassVar[Sequence[Sequence[str]]] = ()
    tabs: ClassVar[Sequence[Tab]] = ()
    # Aggregates of đồng by their labels, of all the rows that are listed.
    sums: ClassVar[Mapping[Any, Any]] = {}
    # Why the table never has many rows; empty for one that may have millions.
    small: ClassVar[str] = ""
    # What to do where the list has no rows at all, in a sentence; empty for "nothing".
    nothing_yet: ClassVar[Any] = ""
    change_list_template = "kitehub/backoffice/change_list.html"
    show_full_result_count = False
    # They would count each choice of each filter over the whole table.
    show_facets = admin.ShowFacets.NEVER

    def indexed_orders(self) -> list[Order]:
        """The orders that the list may have, the declared one first."""
        its: Any = self
        ordering = its.ordering or its.opts.ordering
        sortable = [order_of(self.model, names) for names in (ordering, *self.more_orders)]
        ranges = [order_of(self.model, names, ranged=True) for names in self.range_orders]
        return sortable + ranges

    def get_sortable_by(self, request: HttpRequest) -> list[str]:
        """The columns that have an index to sort by."""
        its: Any = self
        firsts = {order.columns[0] for order in self.indexed_orders() if not order.ranged}
        found = []
        for shown in its.get_list_display(request):
            method = getattr(its, shown, None) if isinstance(shown, str) else shown
            field = getattr(method, "admin_order_field", None) or shown
            if {field, f"{field}_id"} & firsts:
                found.append(shown)
        return found

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether the list may be asked for this: by its filters, its tabs and its key alone.

        Django lets any column of the table be looked up, also those that no page shows: whoever
        sees the list would guess their values letter by letter.
        """
        its: Any = self
        if request is None:
            return lookup in allowed_parameters(its.opts, its.list_filter, its.tabs)
        filters, tabs = its.get_list_filter(request), self.get_tabs(request)
        return lookup in allowed_parameters(its.opts, filters, tabs)

    def get_tabs(self, request: HttpRequest) -> Sequence[Tab]:
        """The tabs for whoever asks."""
        return self.tabs

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The row with this key, as `parse_uuid` reads it where keys are UUIDs; or none.

        Python's own parser takes hyphens anywhere: a page would have a row of which its
        permissions and its dialog, which read the same address, know nothing.
        """
        # Only PostgreSQL refuses NUL.
        if "\x00" in object_id:
            return None
        if isinstance(self.opts.pk, UUIDField) and not from_field and not parse_uuid(object_id):
            return None
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CarefulChangeList]:
        """The class that reads the list's address."""
        return CarefulChangeList

    def filtered_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """All rows that the address of a list asks for, in its order; fetches none of them.

        Raises IncorrectLookupParameters for an address that cannot be looked up, as the list does.
        What the search box finds in other tables is looked up at once.
        """
        return self.read_address(request).queryset  # type: ignore[no-any-return]

    def read_address(self, request: HttpRequest) -> RowsOnly:
        """What the address of a list asks for; raises as `filtered_rows` does."""
        its: Any = self
        shown = its.get_list_display(request)
        return RowsOnly(
            request,
            its.model,
            # The numbers of columns in the address count the boxes too.
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

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """A capped one for the table's rows; the log of one row is read to its end."""
        if getattr(queryset, "model", None) is self.model:
            return CappedPaginator(queryset, *args, **kwargs)
        return Paginator(queryset, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Runs an action; raises ValidationError where a chosen row's key is no key.

        All rows of the list may be chosen where they are counted, and that is up to 1,000.
        """
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            self.opts.pk.to_python(key)
        across = request.POST.get("select_across", "0") not in ("", "0", "false", "False")
        if across and count_up_to(queryset) > MOST_COUNTED:
            said = gettext("These are more than %(most)s rows. Narrow the list, then choose all.")
            its: Any = self
            its.message_user(request, said % {"most": MOST_COUNTED}, messages.ERROR)
            return None
        return super().response_action(request, queryset)  # type: ignore[misc,no-any-return]
