"""The pages of the admin's lists that people open: what its declarations offer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from kitehub.backoffice.keyset import AFTER

# What somebody looks for in any list: the largest school and another, amounts that are common and
# rare, and what is nowhere.
TERMS = {
    "large school": "truong-1",
    "school": "truong-7",
    "common amount": "299.000",
    "rare amount": "1.234.567",
    "nowhere": "khong-co-gi",
}
# And where one is known: an order, a person.
MORE_TERMS = {
    "order code": (
        "KH0000000A",
        {"paymentorder", "banktransfer", "receipt", "refund", "creditentry", "paymentallocation"},
    ),
    "e-mail": ("chu-truong-7@example.vn", {"paymentorder", "instance", "user", "email"}),
}


class Page(NamedTuple):
    """A page of a list, under a name that says what is special about it."""

    list: str
    name: str
    url: str


def pages_of(model_admin: Any, user: Any) -> Iterator[Page]:
    """Every kind of page that a list has."""
    request = RequestFactory().get("/")
    request.user = user
    opts = model_admin.opts
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")

    def page(name: str, **asked: Any) -> Page:
        query = f"?{urlencode(asked)}" if asked else ""
        return Page(opts.model_name, name, f"{url}{query}")

    yield page("first page")
    if getattr(model_admin, "small", ""):
        return
    changes = model_admin.get_changelist_instance(request)
    rows = model_admin.filtered_rows(request)
    middle = rows.count() // 2
    # The key by itself, which an index has: what stands before it is read for nothing.
    keys = rows.select_related(None).values_list("pk", flat=True)[middle : middle + 1]
    row = rows.filter(pk__in=list(keys)).first()
    if row is not None and hasattr(changes, "order"):
        yield page("middle", **{AFTER: changes.order.cursor(row, of=changes.first_url)})
    for tab in getattr(model_admin, "tabs", ()):
        yield page(f"tab {tab.key}", tab=tab.key)
    for spec in changes.filter_specs:
        yield from _filtered(page, changes, spec)
    for number, shown in enumerate(changes.list_display):
        if shown in changes.sortable_by:
            yield page(f"by {shown}", o=number)
            yield page(f"by -{shown}", o=f"-{number}")
    if getattr(model_admin, "search_columns", ()) or getattr(model_admin, "search_uuids", ()):
        yield from _searched(page, model_admin, row)


def _filtered(page: Any, changes: Any, spec: Any) -> Iterator[Page]:
    names = [str(name) for name in spec.expected_parameters()]
    today = timezone.localdate()
    if names and names[0].endswith("_from"):
        what = names[0].removesuffix("_from")
        if type(spec).__name__ == "AmountRangeFilter":
            yield page(f"{what} 1m–1,25m", **{names[0]: "1.000.000", names[1]: "1.250.000"})
            return
        for days in (1, 7, 30):
            first = today - timedelta(days=days - 1)
            asked = {names[0]: f"{first:%d/%m/%Y}", names[1]: f"{today:%d/%m/%Y}"}
            yield page(f"{what} {days} days", **asked)
        return
    for choice in spec.choices(changes):
        query = str(choice.get("query_string", "?"))
        if query not in ("", "?") and not choice.get("selected"):
            whole = page("").url + query
            yield Page(page("").list, f"filter {query[1:]}", whole)


def _searched(page: Any, model_admin: Any, row: Any) -> Iterator[Page]:
    columns = (*getattr(model_admin, "search_columns", ()), *model_admin.search_uuids)
    for column in columns:
        found = getattr(row, column, None) if row is not None else None
        if found:
            yield page(f"search {column}", q=str(found))
    for name, term in TERMS.items():
        yield page(f"search {name}", q=term)
    for name, (term, lists) in MORE_TERMS.items():
        if model_admin.opts.model_name in lists:
            yield page(f"search {name}", q=term)
