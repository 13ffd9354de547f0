"""Deleting in the admin is a mark that can be taken off, and both are in the log."""

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.models import PaymentOrder, Subscription
from kitehub.backoffice import deletion
from kitehub.models import Instance, User
from tests.factories.billing import (
    PaymentAllocationFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
)
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import (
    form_of,
    list_url,
    messages_of,
    opened,
    page_url,
)

FACTORIES = [
    InstanceFactory,
    InstanceConfigFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
    BrandingJobFactory,
]


def logged(row: object) -> list[tuple[int, str]]:
    entries = LogEntry.objects.filter(object_id=str(row.pk)).order_by("pk")  # type: ignore[attr-defined]
    return list(entries.values_list("action_flag", "change_message"))


def listed(client: Client, **query: str) -> set[str]:
    page = client.get(list_url(PaymentOrder), query)
    return {order.order_id for order in page.context["cl"].result_list}


@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory._meta.model.__name__)
def test_row_is_deleted_and_restored_from_its_page(factory: type, back_office: Client) -> None:
    row = factory()
    ask = back_office.get(page_url(row, "delete"))
    answer = back_office.post(page_url(row, "delete"), {**form_of(ask), "reason": "nhập trùng"})
    assert answer.status_code == 302
    row = type(row).all_objects.get()
    assert (row.deleted, row.updated_by) == (True, "staff@kitehub.test")
    assert row.deleted_at is not None
    back_office.post(page_url(row, "restore"), {"_form_submitted": "True", "reason": "nhầm"})
    row = type(row).objects.get()
    assert (row.deleted, row.deleted_at, row.version) == (False, None, 2)
    (deleted, why), (restored, why_not) = logged(row)
    assert (deleted, restored) == (DELETION, CHANGE)
    assert "nh\\u1eadp tr\\u00f9ng" in why
    assert "nh\\u1ea7m" in why_not


def test_nothing_else_goes_with_it(back_office: Client) -> None:
    subscription = SubscriptionFactory()
    order = PaymentOrderFactory(instance=subscription.instance)
    school = subscription.instance
    ask = back_office.get(page_url(school, "delete"))
    assert order.order_id not in ask.content.decode()
    back_office.post(page_url(school, "delete"), form_of(ask))
    assert not Instance.objects.exists()
    assert {Subscription.objects.get().version, PaymentOrder.objects.get().version} == {0}


def test_list_shows_deleted_rows_only_when_asked(back_office: Client) -> None:
    PaymentOrderFactory(order_id="KHALIVE")
    PaymentOrderFactory(order_id="KHGONE", deleted=True)
    assert listed(back_office) == {"KHALIVE"}
    assert listed(back_office, deleted="yes") == {"KHGONE"}
    assert listed(back_office, deleted="all") == {"KHALIVE", "KHGONE"}
    assert listed(back_office, deleted="bogus") == {"KHALIVE"}
    assert listed(back_office, q="khgone", deleted="yes") == {"KHGONE"}
    assert listed(back_office, deleted="yes", _facets="True") == {"KHGONE"}


def test_deleted_row_is_marked_and_only_looked_at(back_office: Client) -> None:
    order = PaymentOrderFactory(deleted=True)
    page = back_office.get(page_url(order))
    text = page.content.decode()
    assert "data-deleted" in text
    assert page_url(order, "restore") in text
    assert page_url(order, "delete") not in text
    assert 'name="_save"' not in text
    assert not page.context["has_change_permission"]
    alive = back_office.get(page_url(PaymentOrderFactory())).content.decode()
    assert "data-deleted" not in alive
    assert "/restore/" not in alive


def test_restoring_takes_a_post(back_office: Client) -> None:
    order = PaymentOrderFactory(deleted=True)
    page = back_office.get(page_url(order, "restore"))
    assert 'method="post"' in page.content.decode()
    assert not PaymentOrder.objects.exists()


@pytest.mark.parametrize(("name", "gone"), [("delete", True), ("restore", False)])
def test_what_is_done_already_is_said_and_not_logged(
    name: str, gone: bool, back_office: Client
) -> None:
    order = PaymentOrderFactory(deleted=gone)
    form = {"_form_submitted": "True", "post": "yes"}
    answer = back_office.post(page_url(order, name), form, follow=True)
    assert order.order_id in messages_of(answer)[0]
    assert logged(order) == []


def test_several_rows_are_deleted_and_restored_after_asking(back_office: Client) -> None:
    orders = PaymentOrderFactory.create_batch(3)
    other = PaymentOrderFactory()
    chosen = {"action": "delete_selected", "_selected_action": [it.pk for it in orders]}
    ask = back_office.post(list_url(PaymentOrder), {**chosen, "index": "0"})
    assert PaymentOrder.objects.count() == 4
    assert all(order.order_id in ask.content.decode() for order in orders)
    back_office.post(list_url(PaymentOrder), {**chosen, "confirmed": "yes", "reason": "thử"})
    assert PaymentOrder.objects.get() == other
    chosen["action"] = "restore_selected"
    gone = f"{list_url(PaymentOrder)}?deleted=yes"
    assert back_office.post(gone, {**chosen, "index": "0"}).status_code == 200
    back_office.post(gone, {**chosen, "confirmed": "yes"})
    assert PaymentOrder.objects.count() == 4
    assert [flag for flag, _why in logged(orders[0])] == [DELETION, CHANGE]
    assert {row.updated_by for row in PaymentOrder.objects.exclude(pk=other.pk)} == {
        "staff@kitehub.test"
    }


def test_queries_do_not_grow_with_the_rows(
    back_office: Client, django_assert_num_queries: object
) -> None:
    for count in (2, 7):
        rows = SubscriptionFactory.create_batch(count)
        form = {"action": "delete_selected", "confirmed": "yes", "reason": "thử"}
        form["_selected_action"] = [row.pk for row in rows]
        with django_assert_num_queries(11):  # type: ignore[operator]
            back_office.post(list_url(Subscription), form)
    assert not Subscription.objects.exists()


def test_more_rows_than_one_form_holds_are_refused(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "MOST_AT_ONCE", 2)
    orders = PaymentOrderFactory.create_batch(3)
    form = {"action": "delete_selected", "_selected_action": [orders[0].pk], "index": "0"}
    answer = back_office.post(list_url(PaymentOrder), {**form, "select_across": "1"}, follow=True)
    assert messages_of(answer) == ["Mỗi lần tối đa 2 bản ghi; hãy chọn ít hơn."]


def test_reason_that_is_too_long_deletes_nothing(back_office: Client) -> None:
    order = PaymentOrderFactory()
    long = {"post": "yes", "reason": "x" * 501}
    assert back_office.post(page_url(order, "delete"), long, follow=True).context["messages"]
    many = {"action": "delete_selected", "_selected_action": [order.pk], "confirmed": "yes"}
    page = back_office.post(list_url(PaymentOrder), {**many, "reason": "x" * 501})
    assert page.context["reason_form"].errors
    assert PaymentOrder.objects.exists()


def test_order_with_money_on_it_stays(back_office: Client) -> None:
    open_one, paid = PaymentOrderFactory(), PaymentOrderFactory(paid=True)
    part = PaymentAllocationFactory(transfer__amount=1_000).order
    for order in (paid, part):
        answer = back_office.post(page_url(order, "delete"), {"post": "yes"}, follow=True)
        assert order.order_id in messages_of(answer)[0]
        chosen = {"action": "delete_selected", "_selected_action": [open_one.pk, order.pk]}
        answer = back_office.post(
            list_url(PaymentOrder), {**chosen, "confirmed": "yes"}, follow=True
        )
        assert order.order_id in messages_of(answer)[0]
        assert logged(order) == []
    assert PaymentOrder.objects.count() == 3


@pytest.fixture
def clerk(client: Client, db: None) -> Client:
    """Somebody who may change orders but not delete them."""
    user: User = UserFactory(staff=True)
    rights = Permission.objects.filter(codename__in=["view_paymentorder", "change_paymentorder"])
    user.user_permissions.set(rights)
    client.force_login(user)
    return client


def test_both_take_the_right_to_delete(clerk: Client) -> None:
    order, gone = PaymentOrderFactory(), PaymentOrderFactory(deleted=True)
    assert clerk.post(page_url(order, "delete"), {"post": "yes"}).status_code == 403
    assert clerk.post(page_url(gone, "restore"), {"_form_submitted": "1"}).status_code == 403
    assert "/restore/" not in clerk.get(page_url(gone)).content.decode()
    for action, query in (("delete_selected", "all"), ("restore_selected", "all")):
        form = {"action": action, "_selected_action": [order.pk, gone.pk], "confirmed": "yes"}
        clerk.post(f"{list_url(PaymentOrder)}?deleted={query}", form)
    assert PaymentOrder.objects.get() == order


def test_key_of_a_deleted_row_is_an_error_that_leads_to_it(back_office: Client) -> None:
    gone = InstanceFactory(subdomain="sao-mai", deleted=True)
    form = form_of(back_office.get(reverse("admin:kitehub_instance_add")))
    form |= {"organization_name": "Sao Mai", "subdomain": "sao-mai", "owner": str(gone.owner_id)}
    page = back_office.post(reverse("admin:kitehub_instance_add"), form)
    (error,) = page.context["adminform"].form.errors["subdomain"]
    assert error.startswith("Một trường học đã xóa vẫn giữ tên miền phụ này.")
    assert page_url(gone) in page.content.decode()


def test_deleted_row_is_offered_to_no_form_but_one_that_has_it(back_office: Client) -> None:
    job = BrandingJobFactory(instance__organization_name="Hòa Ca")
    job.instance.delete()
    asked = {"app_label": "branding", "model_name": "brandingjob", "field_name": "instance"}
    found = back_office.get(reverse("admin:autocomplete"), {**asked, "term": "hòa"}).json()
    assert found["results"] == []
    form = opened(back_office, job)
    assert form["instance"] == str(job.instance_id)
    assert back_office.post(page_url(job), {**form, "language": "en"}).status_code == 302
