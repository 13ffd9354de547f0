"""Whatever is in an address of the admin, the answer is a page, a redirect or a refusal."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.db import connection, models, transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.http import urlencode

from kitehub.models import Instance, User
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import list_url

# As production takes it: Django warns of a moment without zone, and reads it in people's time.
pytestmark = pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")

REGISTERED = list(admin.site._registry.items())
EACH = pytest.mark.parametrize(
    ("model", "model_admin"), REGISTERED, ids=[model._meta.model_name for model, _ in REGISTERED]
)
VALUES = [
    "", "%00", "a%00b", "bogus", "-1", "0", "99999999999999999999", "-99999999999999999999",
    "9" * 400, "1e400", "NaN", "%ED%A0%80", "%FF", "%F0%9F%98%80", "٣", "99999", "0001-01-01",
    "9999-12-31", "9999-12-31T23:59:59Z", "10000-01-01", "infinity", "00000000-0000-0000-0000",
    "1,2,3", "(", "[", "\\", "'", "%25", "_", "null", "{}", "true", "True",
]  # fmt: skip
LOOKUPS = [
    "", "__gt", "__in", "__range", "__isnull", "__icontains", "__regex", "__year", "__year__gt",
    "__week_day", "__date", "__range__gte_0", "_from", "__id__exact", "__has_key", "__search",
]  # fmt: skip
JUNK = ["p", "o", "q", "e", "all", "_popup", "_to_field", "_facets", "_changelist_filters", "x",
        "deleted", "fill", "event_type", "page", "action", "%00", "a.b", "__", "pk",
        "id"]  # fmt: skip
# Ways to name a row that isn't there; an underscore begins one of the admin's own escapes.
KEYS = ["%00", "_00", "%ED%A0%80", "_ED_A0_80", "0", "-1", "9" * 30, "a" * 3000, "%25", "..%2f",
        "null", "00000000-0000-4000-8000-000000000000", "'", "😀"]  # fmt: skip


def turn_of(model: type[models.Model], among: list[str], turns: int) -> list[str]:
    """A model's share where all models run the same code: each value meets every so-manyth."""
    first = [registered for registered, _ in REGISTERED].index(model) % turns
    return among[first::turns]


def ask(client: Client, address: str) -> int:
    """The answer's code; whatever the question did to the transaction is undone."""
    with transaction.atomic():
        code = client.get(address).status_code
        transaction.set_rollback(True)
    return code


def parameters(model: type[models.Model], model_admin: Any) -> Iterator[str]:
    """What people may filter by, and every column by every kind of lookup."""
    names = {field.name for field in model._meta.concrete_fields}
    names |= set(map(filter_name, model_admin.list_filter))
    for name in sorted(names):
        yield from (f"{name}{lookup}" for lookup in LOOKUPS)
    yield from JUNK


def filter_name(declared: Any) -> str:
    """What a filter's parameters begin with."""
    named = declared[0] if isinstance(declared, tuple) else declared
    return str(getattr(named, "parameter_name", named))


@EACH
def test_no_filter_of_a_list_is_an_error(
    staff: User, model: type[models.Model], model_admin: Any
) -> None:
    """Asked of the list itself, without its page: there are thousands of them."""
    PaymentOrderFactory()
    bad = []
    for number, name in enumerate(parameters(model, model_admin)):
        # Every third, and the lookups are no multiple of three: each meets it at some column.
        for value in (VALUES[number * 7 % len(VALUES)], "%00")[: 2 if number % 3 == 0 else 1]:
            request = RequestFactory().get(f"{list_url(model)}?{name}={value}")
            request.user, request._messages = staff, Mock()
            try:
                with transaction.atomic():
                    model_admin.get_changelist_instance(request)
                    transaction.set_rollback(True)
            except (IncorrectLookupParameters, SuspiciousOperation):
                continue  # Django's redirect, and its 400.
            except Exception as error:
                bad.append((request.get_full_path(), repr(error)))
    assert bad == []


@EACH
def test_no_odd_parameter_of_a_page_is_an_error(
    back_office: Client, model: type[models.Model], model_admin: Any
) -> None:
    junk = turn_of(model, JUNK, 2)
    for number, name in enumerate([*junk, *map(filter_name, model_admin.list_filter)]):
        for value in ("%00", VALUES[number * 3 % len(VALUES)])[: 1 + number % 2]:
            address = f"{list_url(model)}?{name}={value}"
            assert ask(back_office, address) in {200, 302, 400}, address


@EACH
def test_no_period_of_a_calendar_is_an_error(
    back_office: Client, model: type[models.Model], model_admin: Any
) -> None:
    name = model_admin.date_hierarchy or "created_at"
    rests = ["", "month=12", "month=13", "month=12&{}__day=31", "month=2&{}__day=30"]
    years = ["0", "1", "9999", "10000", "-1", "x", "%00", "", "9999", "9999"]
    for year, rest in zip(years, rests * 2, strict=True):
        tail = f"&{name}__{rest.format(name)}" if rest else ""
        address = f"{list_url(model)}?{name}__year={year}{tail}"
        assert ask(back_office, address) in {200, 302, 400}, address


@EACH
def test_a_filter_that_cannot_be_looked_up_leads_to_the_whole_list(
    back_office: Client, model: type[models.Model], model_admin: Any
) -> None:
    text = next(
        (
            it.name
            for it in model._meta.fields
            if type(it) is models.CharField and it.name != "password"
        ),
        model._meta.pk.name,
    )
    answer = back_office.get(f"{list_url(model)}?{text}=%00")
    assert (answer.status_code, answer.url) == (302, f"{list_url(model)}?e=1")
    assert back_office.get(answer.url).status_code == 200


def test_an_error_of_ours_is_not_blamed_on_the_address(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(admin.site._registry[Instance], "get_search_results", broken)
    with pytest.raises(RuntimeError, match="ours"):
        back_office.get(list_url(Instance))
    with pytest.raises(RuntimeError, match="ours"):
        back_office.get(list_url(Instance), {"e": "1"})


@EACH
def test_no_key_of_a_row_is_an_error(
    back_office: Client, model: type[models.Model], model_admin: Any
) -> None:
    for key in turn_of(model, KEYS, 3):
        for page in ("change/", "history/", "delete/", "password/", "restore/"):
            address = f"{list_url(model)}{key}/{page}"
            assert ask(back_office, address) in {200, 302, 403, 404}, address
            with transaction.atomic():
                answer = back_office.post(address, {"x": "\x00"})
                transaction.set_rollback(True)
            assert answer.status_code in {200, 302, 403, 404}, address


@EACH
def test_no_chosen_row_is_an_error(
    back_office: Client, model: type[models.Model], model_admin: Any
) -> None:
    for key in ("\x00", "9" * 30, ""):
        for action in ("delete_selected", "restore_selected", "\x00"):
            sent = {"action": action, "_selected_action": [key], "index": key, "reason": "\x00"}
            with transaction.atomic():
                answer = back_office.post(list_url(model), sent)
                transaction.set_rollback(True)
            assert answer.status_code in {200, 302, 403}, sent


@pytest.mark.parametrize("junk", VALUES[::3])
def test_junk_in_other_addresses_is_no_error(back_office: Client, junk: str) -> None:
    school = InstanceFactory()
    change = reverse("admin:kitehub_instance_change", args=[school.pk])
    asked = {"app_label": "billing", "model_name": "paymentorder", "field_name": "user"}
    addresses = [
        f"{change}?_changelist_filters={junk}",
        f"{change}?{junk}={junk}",
        f"{change}?_popup={junk}&_to_field={junk}",
        f"{reverse('admin:kitehub_instance_add')}?owner={junk}&subdomain={junk}&tier={junk}",
        f"{reverse('admin:auth_group_add')}?permissions={junk}",
        f"{reverse('admin:login')}?next={junk}",
        f"{reverse('admin:index')}?{junk}={junk}",
        f"{reverse('admin:jsi18n')}?language={junk}",
        f"{change.replace('change', 'history')}?p={junk}",
        *(
            f"{reverse('admin:autocomplete')}?{urlencode({**asked, 'field_name': field})}&{end}"
            for field in ("user", "instance")
            for end in (f"term={junk}", f"term=a&page={junk}", f"app_label={junk}", f"{junk}")
        ),
    ]
    for address in addresses:
        assert ask(back_office, address) in {200, 302, 400, 403, 404}, address


def test_a_refused_filter_leaves_the_connection_usable(back_office: Client) -> None:
    PaymentOrderFactory()
    assert ask(back_office, f"{list_url(PaymentOrderFactory._meta.model)}?order_id__regex=(") == 302
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
