"""What is no row, or none that may be chosen, is an error of its field and is not saved."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import PaymentOrder
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory, UserFactory

ODD = [
    str(uuid.UUID(int=1)),
    "bogus",
    "\x00",
    "a\x00b",
    "a" * 5000,
    "9" * 40,
    "%s",
    "😀",
    "{}",
    "00000000-0000-0000-0000",
]
ORDER = {"type": "SUBSCRIPTION", "tier": "BASIC", "months": "1"}
SCHOOL = {"organization_name": "A", "subdomain": "a", "tier": "BASIC", "status": "TRIAL"}


def errors_of(client: Client, name: str, sent: dict[str, str]) -> set[str]:
    answer = client.post(reverse(f"admin:{name}_add"), sent)
    assert answer.status_code == 200
    return set(answer.context["adminform"].form.errors)


@pytest.mark.parametrize("odd", [*ODD, "deleted"])
def test_an_odd_key_is_an_error_of_its_field(back_office: Client, odd: str) -> None:
    owner = str(UserFactory().pk)
    if odd == "deleted":
        odd = str(InstanceFactory(deleted=True).pk)
    both = {**ORDER, "instance": odd, "user": odd}
    assert errors_of(back_office, "billing_paymentorder", both) == {"instance", "user"}
    one = {**ORDER, "instance": odd, "user": owner}
    assert errors_of(back_office, "billing_paymentorder", one) == {"instance"}
    assert errors_of(back_office, "kitehub_instance", {**SCHOOL, "owner": odd}) == {"owner"}
    assert "instance_id" not in errors_of(
        back_office, "kitehub_instanceconfig", {"instance_id": str(uuid.UUID(int=2))}
    )
    assert not PaymentOrder.all_objects.exists()
    assert not Instance.objects.exists()


@pytest.mark.parametrize("odd", ODD[1:])
def test_a_config_of_no_key_is_an_error_of_its_field(back_office: Client, odd: str) -> None:
    sent = {"instance_id": odd, "tier": "BASIC"}
    assert errors_of(back_office, "kitehub_instanceconfig", sent) == {"instance_id"}


@pytest.mark.parametrize("odd", ODD)
def test_a_prefilled_form_opens_whatever_its_address_says(back_office: Client, odd: str) -> None:
    for name in ("billing_paymentorder", "kitehub_instance"):
        page = back_office.get(
            reverse(f"admin:{name}_add"), {"instance": odd, "user": odd, "owner": odd}
        )
        assert page.status_code == 200
