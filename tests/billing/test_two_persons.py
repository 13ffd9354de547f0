"""Money takes two persons, whatever powers one of them has and however they send it."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from billing.models import Goodwill, ManualPayment, Refund
from kitehub.models import StaffRole, User
from kitehub.roles import Role
from tests.factories.billing import GoodwillFactory, ManualPaymentFactory, RefundFactory
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import act, act_on_all, list_url, results_of

pytestmark = pytest.mark.django_db


def person(role: Role | None) -> User:
    if role is None:
        return UserFactory(superuser=True)
    member = UserFactory(staff=True)
    member.groups.add(StaffRole.objects.get(pk=role).group)
    return member


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# Each with who asks for it, its two actions that carry it out, and the state after.
KINDS: dict[Any, tuple[str, str, str, str]] = {
    RefundFactory: ("requested_by", "approve", "approve_all", "APPROVED"),
    ManualPaymentFactory: ("requested_by", "confirm", "confirm_all", "CONFIRMED"),
    GoodwillFactory: ("proposed_by", "approve", "approve_all", "APPROVED"),
}


@pytest.mark.parametrize("role", [Role.FINANCE, None], ids=["finance", "superuser"])
@pytest.mark.parametrize("make", KINDS, ids=lambda make: make._meta.model.__name__)
def test_who_asked_cannot_approve(make: Any, role: Role | None) -> None:
    who, action, bulk, done = KINDS[make]
    asker = person(role)
    row = make(**{who: asker.email})
    # The session they asked in, another one, and the list's own form sent by hand.
    for client in (signed_in(asker), signed_in(asker)):
        act(client, row, action, reason="x", retyped=str(row.amount))
        # With another's row beside it there is something to send.
        page = act_on_all(client, list_url(row), bulk, [row, make(amount=7)], reason="x")
        assert results_of(page)[str(row)] is False
    assert states(row)[0] not in (done, "GIVEN")
    with pytest.raises(IntegrityError, match=r"two_people|transfer_check"), transaction.atomic():
        type(row)._base_manager.filter(pk=row.pk).update(
            status=done, decided_by=asker.email, decided_at=timezone.now()
        )


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR, Role.AUDITOR])
def test_others_than_finance_decide_nothing(role: Role) -> None:
    client = signed_in(person(role))
    for make, (_who, action, _bulk, _done) in KINDS.items():
        row = make()
        before = states(row)
        for name in (action, "decline" if make is GoodwillFactory else "reject"):
            assert act(client, row, name, reason="x").status_code == 403
        assert states(row) == before


def states(*rows: Any) -> list[str]:
    kept: dict[type, Any] = {each: each.objects for each in (Refund, ManualPayment, Goodwill)}
    return [kept[type(row)].get(pk=row.pk).status for row in rows]
