"""The dashboard's queues: each counts, on an index, the rows of the list that it leads to."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from billing.models import BankTransfer, Refund
from billing.services import goodwill, manual, refunds
from kitehub.admin.dashboard import queues as module
from kitehub.admin.dashboard.queues import Queue, queues
from kitehub.admin.watches import AWAY, WORDS
from kitehub.jobs.services import enqueue
from kitehub.models import Instance, InstanceMove, InstanceWatch, StaffRole, User
from tests.explain import serves
from tests.factories.billing import (
    BankTransferFactory,
    FeedSilenceFactory,
    GoodwillFactory,
    ManualPaymentFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    PlannedMatchFactory,
    RefundFactory,
)
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import list_url

LONG_AGO = timedelta(days=8)


def seen_by(user: User) -> list[Queue]:
    request = RequestFactory().get("/")
    request.user = user
    return queues(request)


def watch(**seen: Any) -> Instance:
    school = InstanceFactory()
    InstanceWatch.objects.create(instance=school, **{"whole": True, **seen})
    return school


def job(status: str) -> None:
    made = enqueue("kitehub.tasks.send_email", email_id="x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, made])


def refund_of_line() -> Refund:
    line = BankTransferFactory(state="UNMATCHED", amount=5_000)
    BankTransfer.objects.filter(pk=line.pk).update(state="DISCARDED")
    refund: Refund = RefundFactory(
        source="TRANSFER", order=None, instance=None, transfer=line, amount=5_000
    )
    return refund


@pytest.fixture
def work(db: None) -> dict[str, int]:
    """Rows of every queue, and beside each some that don't belong there; how many do."""
    now = timezone.now()
    for state in ("UNMATCHED", "UNMATCHED", "DISCARDED"):
        BankTransferFactory(state=state)
    PlannedMatchFactory(due_at=now - LONG_AGO)
    PlannedMatchFactory(due_at=now)
    late = {"paid": True, "expires_at": now - timedelta(hours=1)}
    PaymentOrderFactory(**late)
    PaymentOrderFactory(**late).delete()
    PaymentOrderFactory(paid=True)
    PaymentOrderFactory(
        paid=True, expires_at=now - 2 * LONG_AGO, paid_at=now - LONG_AGO, created_at=now - LONG_AGO
    )
    for _ in range(2):
        PaymentAllocationFactory(transfer=BankTransferFactory(amount=1_000))
    PaymentOrderFactory()
    RefundFactory()
    for _ in range(2):
        refunds.approve(refund_id=refund_of_line().pk, actor="b", at=now)
    refunds.reject(refund_id=refund_of_line().pk, actor="b", at=now, decision="no")
    ManualPaymentFactory()
    rejected = ManualPaymentFactory()
    manual.reject_payment(payment_id=rejected.pk, actor="b", at=now, decision="no")
    GoodwillFactory()
    withdrawn = GoodwillFactory()
    goodwill.withdraw(goodwill_id=withdrawn.pk, actor="lan", at=now)
    FeedSilenceFactory()
    FeedSilenceFactory(starts_at=now - LONG_AGO, ends_at=now)
    watch(whole=False)
    watch(whole=False).delete()
    for _ in range(2):
        watch(nearly_full=True)
    watch(missing_migrations=3)
    watch(reachable=False)
    for step in ("PREPARED", "DONE", "ABORTED", "PURGED"):
        InstanceMove.objects.create(
            instance=InstanceFactory(), source_url="a", target_url="b", step=step
        )
    for status in ("failed", "failed", "todo"):
        job(status)
    BrandingJobFactory(status="FAILED")
    BrandingJobFactory()
    return {
        "Unmatched transfers": 4,
        "Assignments that aren't booked": 1,
        "Orders paid in part": 2,
        "Orders paid late": 1,
        "Refunds to approve": 1,
        "Refunds to send": 2,
        "Payments by hand to confirm": 1,
        "Goodwill to approve": 1,
        "Bank feeds that are silent": 1,
        "Openings that aren't finished": 1,
        "Moves that aren't finished": 1,
        "Databases that can't be reached": 1,
        "Databases behind on migrations": 1,
        "Schools over 90% of their storage": 2,
        "Background jobs that failed": 2,
        "Branding jobs that failed": 1,
    }


def test_each_queue_leads_to_a_list_of_exactly_its_rows(
    back_office: Client, staff: User, work: dict[str, int]
) -> None:
    back_office.cookies["django_language"] = "en"
    back_office.get("/admin/")
    found = seen_by(staff)
    assert {each.title._args[0]: each.count for each in found} == work  # type: ignore[union-attr]
    for each in found:
        page = back_office.get(each.address)
        assert page.status_code == 200, each.address
        assert len(page.context["cl"].result_list) == each.count, each.address
        everything = back_office.get(each.address.partition("?")[0])
        assert len(everything.context["cl"].result_list) > each.count, "the list is filtered"


@pytest.mark.django_db
def test_who_may_not_see_a_list_sees_no_queue_of_it() -> None:
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_banktransfer"))
    assert [each.permissions for each in seen_by(clerk)] == [("billing.view_banktransfer",)]
    assert seen_by(UserFactory()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["FINANCE", "SUPPORT"])
def test_how_databases_do_is_for_those_who_see_them(client: Client, role: str) -> None:
    member = UserFactory(staff=True)
    member.groups.add(StaffRole.objects.get(pk=role).group)
    client.force_login(member)
    away = watch(reachable=False)
    watch()
    asked = {each.address.partition("?")[2] for each in seen_by(member)}
    of_databases = {f"database={state}" for state in WORDS}
    page = f"{list_url(Instance)}?database={AWAY}"
    answer = client.get(page)
    if role == "SUPPORT":
        assert of_databases <= asked
        assert list(answer.context["cl"].result_list) == [away]
    else:
        assert asked, "it has queues of its own"
        assert not of_databases & asked
        assert answer["Location"] == f"{list_url(Instance)}?e=1"
        assert "database=" not in client.get(list_url(Instance)).text


def test_a_queue_counts_no_further_than_its_cap(
    staff: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(module, "MOST_COUNTED", 2)
    for _ in range(2):
        BankTransferFactory(state="UNMATCHED")
    assert next((each.count, each.capped) for each in seen_by(staff)) == (2, False)
    BankTransferFactory(state="UNMATCHED")
    with django_assert_num_queries(16):
        assert next((each.count, each.capped) for each in seen_by(staff)) == (2, True)


def test_every_queue_has_its_index(work: dict[str, int]) -> None:
    expected = {
        "Unmatched transfers": "idx_bank_transfers_waiting",
        "Assignments that aren't booked": "idx_planned_matches_due",
        "Orders paid late": "idx_payment_orders_late",
        "Refunds to approve": "idx_refunds_status",
        "Refunds to send": "idx_refunds_status",
        "Payments by hand to confirm": "idx_manual_payments_status",
        "Goodwill to approve": "idx_goodwill_grants_status",
        "Bank feeds that are silent": "bank_feed_silences_open_key",
        "Openings that aren't finished": "idx_instance_watch_unfinished",
        "Moves that aren't finished": "instance_moves_one_open",
        "Databases that can't be reached": "idx_instance_watch_unreachable",
        "Databases behind on migrations": "idx_instance_watch_behind",
        "Schools over 90% of their storage": "idx_instance_watch_nearly_full",
        "Background jobs that failed": "idx_procrastinate_jobs_failed",
        "Branding jobs that failed": "idx_branding_jobs_status",
    }
    for source in module._SOURCES:
        if source.asks.startswith("tab=part"):
            continue  # test_list_indexes.py holds the tab's index
        index = expected[source.title._args[0]]  # type: ignore[attr-defined]
        assert serves(index, source.rows()), index


def test_an_index_of_other_columns_serves_no_queue(work: dict[str, int]) -> None:
    (failed,) = (
        each for each in module._SOURCES if each.title._args[0] == "Branding jobs that failed"
    )  # type: ignore[attr-defined]
    assert not serves("idx_branding_jobs_created", failed.rows())
