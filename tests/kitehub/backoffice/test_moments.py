"""Moments that Python or Vietnamese time cannot show break no page, and pages store none."""

import copy
import pickle

import pytest
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from billing.models import PaymentOrder
from kitehub.backoffice.moments import MomentField
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import list_url, page_url, save

ODD = [
    "infinity",
    "-infinity",
    "9999-12-31 23:59:59+00",
    "10000-01-01 00:00:00+00",
    "294276-12-31 00:00:00+00",
    "0001-01-01 00:00:00+00",
    "0001-12-31 17:00:00+00 BC",
    "4713-01-01 00:00:00+00 BC",
]


def put(row: models.Model, **moments: str) -> None:
    """Writes moments as some other program would."""
    columns = ", ".join(f'"{name}" = %s::timestamptz' for name in moments)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            f"UPDATE {row._meta.db_table} SET {columns} WHERE id = %s", [*moments.values(), row.pk]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


def stored(row: models.Model, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT timestamptz_send("{column}") FROM {row._meta.db_table} WHERE id = %s', [row.pk]
        )
        return bytes(cursor.fetchone()[0])


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"])
def test_an_odd_moment_is_read_and_saved_as_it_is(db: None, odd: str, zone: str) -> None:
    order = PaymentOrderFactory()
    put(order, expires_at=odd, created_at=odd)
    before = stored(order, "expires_at"), stored(order, "created_at")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    row = PaymentOrder.objects.get(pk=order.pk)
    assert list(PaymentOrder.objects.filter(expires_at=row.expires_at)) == [row]
    for same in (row, copy.deepcopy(row), pickle.loads(pickle.dumps(row))):  # noqa: S301
        same.version = PaymentOrder.objects.get(pk=order.pk).version
        same.save()
    plain = PaymentOrderFactory()
    PaymentOrder.objects.bulk_update([row, plain], ["created_at", "expires_at"])
    assert (stored(order, "expires_at"), stored(order, "created_at")) == before


def test_odd_moments_are_inserted_beside_others(db: None) -> None:
    orders = PaymentOrderFactory.build_batch(4, instance=InstanceFactory())
    there = PaymentOrderFactory()
    put(there, expires_at="infinity", paid_at="-infinity")
    there.refresh_from_db()
    orders[0].expires_at = orders[2].expires_at = there.expires_at
    orders[1].paid_at = there.paid_at
    PaymentOrder.objects.bulk_create(orders)
    assert PaymentOrder.objects.filter(expires_at=there.expires_at).count() == 3
    assert PaymentOrder.objects.filter(paid_at__lte=there.paid_at).count() == 2


@pytest.mark.parametrize("odd", ODD)
def test_lists_pages_and_histories_open(back_office: Client, odd: str) -> None:
    order, subscription = PaymentOrderFactory(), SubscriptionFactory()
    put(order, expires_at=odd, created_at=odd, updated_at=odd)
    put(subscription, current_period_end=odd, canceled_at=odd)
    for row in (order, subscription):
        page = back_office.get(list_url(row))
        assert [it.pk for it in page.context["cl"].result_list] == [row.pk]
        for name in ("change", "history", "delete"):
            assert back_office.get(page_url(row, name)).status_code == 200
    school = order.instance
    put(school, created_at=odd, trial_expires_at=odd)
    assert back_office.get(page_url(school)).status_code == 200


@pytest.mark.parametrize("odd", ODD)
def test_pages_of_a_list_go_on_behind_an_odd_moment(
    back_office: Client, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = PaymentOrderFactory.create_batch(3)
    put(orders[0], created_at=odd)
    put(orders[1], created_at=odd)
    monkeypatch.setattr(admin.site._registry[PaymentOrder], "list_per_page", 1)
    address, seen = list_url(PaymentOrder), []
    while address and len(seen) < 5:
        changes = back_office.get(address).context["cl"]
        seen += [row.pk for row in changes.result_list]
        address = changes.next_url and f"{list_url(PaymentOrder)}{changes.next_url}"
    assert len(seen) == 3
    assert set(seen) == {order.pk for order in orders}


@pytest.mark.parametrize("odd", ODD)
def test_a_form_that_leaves_an_odd_moment_alone_keeps_it(back_office: Client, odd: str) -> None:
    school = InstanceFactory()
    put(school, trial_expires_at=odd)
    before = stored(school, "trial_expires_at")
    answer = save(back_office, school, organization_name="Hòa Ca")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert Instance.objects.get().organization_name == "Hòa Ca"
    assert stored(school, "trial_expires_at") == before
    assert back_office.get(page_url(school, "history")).status_code == 200


@pytest.mark.parametrize("day", ["01/01/0001", "31/12/1899", "01/01/3000", "31/12/9999"])
@pytest.mark.parametrize(
    ("language", "said"),
    [("vi", "Hãy nhập năm từ 1900 đến 2999."), ("en", "Enter a year from 1900 to 2999.")],
)
def test_an_absurd_day_is_an_error_of_its_field(
    back_office: Client, day: str, language: str, said: str
) -> None:
    back_office.cookies["django_language"] = language
    sent = {"_form_submitted": "True", "received_at_0": day, "received_at_1": "00:00:00"}
    answer = back_office.post(page_url(PaymentOrderFactory(), "mark_paid"), sent)
    assert answer.status_code == 200
    assert said in answer.text


@pytest.mark.parametrize(("day", "clock"), [("01/01/1900", "00:00:00"), ("31/12/2999", "23:59:59")])
def test_the_first_and_the_last_day_are_taken(day: str, clock: str) -> None:
    taken = MomentField(widget=AdminSplitDateTime).clean([day, clock])
    assert timezone.localtime(taken).strftime("%d/%m/%Y %H:%M:%S") == f"{day} {clock}"


def test_every_moment_of_every_form_is_bounded(back_office: Client) -> None:
    for model, model_admin in admin.site._registry.items():
        request = back_office.get("/admin/").wsgi_request
        if not model_admin.has_add_permission(request):
            continue
        form = model_admin.get_form(request)
        for name, field in form.base_fields.items():
            column = next((it for it in model._meta.fields if it.name == name), None)
            if isinstance(column, models.DateTimeField):
                with pytest.raises(Exception, match="1900"):
                    field.clean(["01/01/0001", "00:00"])
