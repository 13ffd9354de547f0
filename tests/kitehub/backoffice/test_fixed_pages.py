"""Money and state are shown, and changed by actions alone."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model
from django.forms.models import model_to_dict
from django.test import Client, RequestFactory

from billing.models import PaymentOrder, Subscription
from kitehub.backoffice import RecordAdmin
from kitehub.models import Instance, InstanceConfig, User
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.backoffice.pages import form_of, page_url, save

pytestmark = pytest.mark.django_db

# Whatever says how much, of what, until when, and what has become of it.
SAYS_SO = ("amount", "price", "status", "state", "tier", "reference", "expires", "paid", "period")
SAYS_SO += ("trial", "cancel", "limit_bytes", "used_bytes", "qr_image", "months")
SAYS_SO += ("bank", "account", "owner")
# A technical state with its own page, and what of a plan is there to be made exceptions from.
ENTERED = {("brandingjob", "status"), ("instance", "qr_template")}


def entered_by_hand(model: type[Model], row: Any, user: User) -> set[str]:
    """The columns that the page of a row lets people fill in."""
    its: Any = admin.site._registry[model]
    request = RequestFactory().get("/")
    request.user = user
    shown = flatten_fieldsets(its.get_fieldsets(request, row))
    return set(shown) - set(its.get_readonly_fields(request, row)) - {"reason"}


RECORDS = [model for model, its in admin.site._registry.items() if isinstance(its, RecordAdmin)]


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model._meta.model_name)
def test_no_form_has_a_field_of_money_or_state(model: Any, staff: User) -> None:
    entered = entered_by_hand(model, model(), staff)
    found = {name for name in entered if any(part in name for part in SAYS_SO)}
    assert {(model._meta.model_name, name) for name in found} <= ENTERED


@pytest.mark.parametrize(
    ("make", "forged"),
    [
        (
            lambda: PaymentOrderFactory(paid=True),
            {"transaction_reference": "FT-x", "status": "PENDING", "qr_image_url": "https://x.vn"},
        ),
        (PaymentOrderFactory, {"status": "CANCELLED", "amount": "1", "expires_at_0": "01/01/2030"}),
        (SubscriptionFactory, {"status": "EXPIRED", "monthly_price": "1", "tier": "PREMIUM"}),
        (
            InstanceFactory,
            {"status": "CLOSED", "account_number": "0999888777", "owner": str(UUID(int=1))},
        ),
        (InstanceConfigFactory, {"tier": "PREMIUM"}),
    ],
    ids=["paid", "open", "subscription", "school", "config"],
)
def test_what_is_sent_all_the_same_changes_nothing(
    make: Any, forged: dict[str, str], back_office: Client
) -> None:
    row = make()
    row.refresh_from_db()
    before = (model_to_dict(row), row.version)
    assert save(back_office, row, **forged).status_code in {200, 302}
    row.refresh_from_db()
    assert (model_to_dict(row), row.version) == before


@pytest.mark.parametrize("model", [PaymentOrder, Subscription])
def test_page_without_fields_has_nothing_to_save(model: Any, back_office: Client) -> None:
    row = {PaymentOrder: PaymentOrderFactory, Subscription: SubscriptionFactory}[model]()
    text = back_office.get(page_url(row)).content.decode()
    assert 'name="_save"' not in text
    assert 'name="reason"' not in text
    for other in (InstanceFactory(), InstanceConfigFactory()):
        assert 'name="_save"' in back_office.get(page_url(other)).content.decode()


def test_what_is_no_money_is_still_changed(back_office: Client) -> None:
    school, config = InstanceFactory(), InstanceConfigFactory()
    assert save(back_office, school, organization_name="Sao Mai").status_code == 302
    assert Instance.objects.get(pk=school.pk).organization_name == "Sao Mai"
    form = form_of(back_office.get(page_url(config)))
    assert "features" in form
    answer = save(back_office, config, form, features='{"aiBranding": true}')
    assert answer.status_code == 302
    assert InstanceConfig.objects.get(pk=config.pk).features == {"aiBranding": True}
