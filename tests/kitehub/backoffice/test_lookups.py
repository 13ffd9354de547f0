"""A list is asked for what its filters show, and never for columns that no page shows."""

from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from billing.models import BankTransfer, PaymentOrder, Subscription
from kitehub.models import SignedInSession, StaffRole, User
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import list_url

REGISTERED = list(admin.site._registry.items())
GUESSED = ("contains", "startswith", "regex")
GUESSES = (
    "", "__exact", "__contains", "__icontains", "__startswith", "__istartswith", "__endswith",
    "__regex", "__iregex", "__gt", "__lt", "__gte", "__lte", "__range", "__in", "__isnull",
    "__length", "__0", "__has_key", "__id__exact",
)  # fmt: skip


def of_filters(its: Any) -> set[str]:
    """The columns that a list's filters and tabs show."""
    named = {each[0] if isinstance(each, tuple) else each for each in its.list_filter}
    shown = {column for tab in its.tabs for column, _ in tab.columns}
    return shown | {getattr(each, "parameter_name", each) for each in named}


@pytest.mark.parametrize(("model", "its"), REGISTERED, ids=lambda each: str(each))
def test_no_list_tells_what_is_in_a_column_that_it_does_not_filter_by(
    model: type[models.Model], its: Any
) -> None:
    shown, key = of_filters(its), model._meta.pk.name
    for field in model._meta.get_fields():
        for guess in GUESSES:
            allowed = its.lookup_allowed(f"{field.name}{guess}", "a", None)
            whole = guess in {"", "__exact", "__in"}
            assert not allowed or field.name in shown or (field.name == key and whole), guess
        for further in ("password", "secret", "session_key", "pk"):
            assert not its.lookup_allowed(f"{field.name}__{further}__startswith", "a", None)
    for name in shown:
        for part in ("contains", "startswith", "regex", "iregex", "gt"):
            assert not its.lookup_allowed(f"{name}__{part}", "a", None)


@pytest.mark.django_db
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("role", ["AUDITOR", "SUPPORT"])
def test_who_tries_gets_the_whole_list(role: str) -> None:
    reader = UserFactory(staff=True)
    reader.groups.add(StaffRole.objects.get(pk=role).group)
    client = Client()
    client.force_login(reader)
    tried = 0
    for model, _ in REGISTERED:
        page = list_url(model)
        if client.get(page).status_code != 200:
            continue
        # Each column once, by turns in each way; the test above asks for all of them.
        for field, guess in zip(model._meta.concrete_fields, cycle(GUESSED), strict=False):
            answer = client.get(page, {f"{field.attname}__{guess}": "a"})
            assert (answer.status_code, answer.get("Location")) == (302, f"{page}?e=1")
            tried += 1
    assert tried > 100
    if role == "SUPPORT":
        name = "admin:billing_banktransfer_export"
        answer = client.get(reverse(name, args=["csv"]), {"raw_body__contains": "a"})
        assert answer["Location"] == f"{list_url(BankTransfer)}?e=1"


def test_links_of_ours_and_what_filters_ask_are_answered(back_office: Client, staff: User) -> None:
    order = PaymentOrderFactory(paid=True)
    for model, asked in [
        (PaymentOrder, {"status__exact": "PAID", "type__exact": order.type}),
        (PaymentOrder, {"id__exact": str(order.pk)}),
        (PaymentOrder, {"paid_at_from": "2020-01-01", "paid_at_to": "2100-01-01"}),
        (PaymentOrder, {"tab": "PAID", "deleted": "all", "amount_from": "1"}),
        (Subscription, {"status__in": "ACTIVE,PAST_DUE"}),
        (BankTransfer, {"provider__exact": "STATEMENT"}),
        (User, {"groups__id__exact": "1"}),
        (SignedInSession, {"pk": str(staff.pk)}),
    ]:
        assert back_office.get(list_url(model), asked).status_code == 200, asked
