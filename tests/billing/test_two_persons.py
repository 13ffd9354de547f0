"""Money takes two persons, whatever powers one of them has and however they send it."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from billing.models import ManualPayment, Refund
from kitehub.models import StaffRole, User
from kitehub.roles import Role
from tests.factories.billing import ManualPaymentFactory, RefundFactory
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


@pytest.mark.parametrize("role", [Role.FINANCE, None], ids=["finance", "superuser"])
def test_who_asked_cannot_approve(role: Role | None) -> None:
    asker = person(role)
    refund = RefundFactory(requested_by=asker.email)
    payment = ManualPaymentFactory(requested_by=asker.email)
    # The session they asked in, another one, and the list's own form sent by hand.
    for client in (signed_in(asker), signed_in(asker)):
        act(client, refund, "approve", reason="x")
        act(client, payment, "confirm", reason="x")
        for row, action in ((refund, "approve_all"), (payment, "confirm_all")):
            # With another's row beside it there is something to send.
            others = (RefundFactory if row is refund else ManualPaymentFactory)()
            page = act_on_all(client, list_url(row), action, [row, others], reason="x")
            assert results_of(page)[str(row)] is False
    assert states(refund, payment) == ["REQUESTED", "REQUESTED"]
    for row in (refund, payment):
        with pytest.raises(IntegrityError), transaction.atomic():
            type(row)._base_manager.filter(pk=row.pk).update(
                status="APPROVED" if row is refund else "CONFIRMED",
                decided_by=asker.email,
                decided_at=row.requested_at,
            )


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OPERATOR, Role.AUDITOR])
def test_others_than_finance_decide_nothing(role: Role) -> None:
    client = signed_in(person(role))
    refund, payment = RefundFactory(), ManualPaymentFactory()
    for row, name in ((refund, "approve"), (refund, "reject"), (payment, "confirm")):
        assert act(client, row, name, reason="x").status_code == 403
    assert states(refund, payment) == ["REQUESTED", "REQUESTED"]


def states(*rows: Any) -> list[str]:
    kept: dict[type, Any] = {Refund: Refund.objects, ManualPayment: ManualPayment.objects}
    return [kept[type(row)].get(pk=row.pk).status for row in rows]
