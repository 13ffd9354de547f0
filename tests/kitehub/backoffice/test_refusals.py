"""What the database or a service refuses is told in the admin, and nothing of it is written."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from billing.admin import PaymentOrderAdmin
from billing.lifecycles import PAYMENT_ORDER
from billing.models import PaymentOrder
from branding.admin import BrandingJobAdmin
from branding.models import BrandingJob
from kitehub.backoffice.audit import Refusal
from tests.factories.billing import PaymentOrderFactory
from tests.factories.branding import BrandingJobFactory
from tests.kitehub.backoffice.pages import form_of, list_url, messages_of, opened, page_url, save


def errors_of(page: Any) -> dict[str, list[str]]:
    assert page.status_code == 200
    return dict(page.context["adminform"].form.errors)


def offered(page: Any) -> list[str]:
    return [value for value, _label in page.context["adminform"].form.fields["status"].choices]


def test_only_states_that_may_follow_are_offered(back_office: Client) -> None:
    job = BrandingJobFactory()
    assert offered(back_office.get(page_url(job))) == ["PENDING", "PROCESSING", "FAILED"]
    job = BrandingJobFactory(completed=True)
    assert offered(back_office.get(page_url(job))) == ["COMPLETED"]


def test_state_that_cannot_follow_is_an_error_of_its_field(back_office: Client) -> None:
    job = BrandingJobFactory(completed=True)
    page = save(back_office, job, status="PENDING")
    assert errors_of(page) == {"status": ["Không thể chuyển từ “Hoàn thành” sang “Đang chờ”."]}
    assert form_of(page)["status"] == "PENDING"
    assert BrandingJob.objects.get().status == "COMPLETED"


def test_state_that_became_impossible_meanwhile_is_told(back_office: Client) -> None:
    job = BrandingJobFactory(status="PROCESSING")
    form = opened(back_office, job)
    BrandingJob.objects.update(status="COMPLETED", progress_percentage=100)
    page = save(back_office, job, form, status="FAILED")
    assert set(errors_of(page)) == {"__all__", "status"}
    told = {
        it.difference.name: it.yours for it in page.context["adminform"].form.meanwhile.conflicts
    }
    assert told["status"] == "Thất bại"
    assert BrandingJob.objects.get().status == "COMPLETED"


def test_what_only_the_database_knows_is_told_in_words(back_office: Client) -> None:
    job = BrandingJobFactory(status="PROCESSING", progress_percentage=60)
    page = save(back_office, job, progress_percentage="20", reason="chạy lại")
    (error,) = errors_of(page)["__all__"]
    assert "tiến độ không thể giảm" in error
    assert form_of(page)["reason"] == "chạy lại"
    assert not LogEntry.objects.exists()
    assert BrandingJob.objects.get().progress_percentage == 60


def somebody_else_first(order: PaymentOrder) -> None:
    """A service whose row moves on between its look and its save."""
    PaymentOrder.objects.filter(pk=order.pk).update(qr_image_url="https://a.vn", updated_by="minh")
    order.qr_image_url = "https://b.vn"
    order.save()


def constraint(order: PaymentOrder) -> None:
    PaymentOrder.objects.filter(pk=order.pk).update(amount=-1)


def forbidden(order: PaymentOrder) -> None:
    PAYMENT_ORDER.check("PAID", "PENDING")


def refused(order: PaymentOrder) -> None:
    raise Refusal("Hết giờ làm việc.")


REFUSALS: list[tuple[Callable[[PaymentOrder], None], str]] = [
    (somebody_else_first, "Chưa lưu: – vừa thay đổi"),
    (constraint, "từ chối thay đổi này (payment_orders_amount_check)"),
    (forbidden, "không được chuyển trạng thái như vậy"),
    (refused, "Hết giờ làm việc."),
]


@pytest.mark.parametrize(("service", "told"), REFUSALS)
def test_refusal_while_saving_shows_the_form_again(
    service: Callable[[PaymentOrder], None],
    told: str,
    back_office: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = PaymentOrderFactory()

    def save_model(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.save()
        service(other)

    monkeypatch.setattr(BrandingJobAdmin, "save_model", save_model)
    job = BrandingJobFactory()
    page = save(back_office, job, status="PROCESSING", reason="thử")
    (error,) = errors_of(page)["__all__"]
    assert told in error
    assert (form_of(page)["status"], form_of(page)["reason"]) == ("PROCESSING", "thử")
    for model in (PaymentOrder, BrandingJob):
        assert set(model.objects.values_list("status", "version")) == {("PENDING", 0)}


@pytest.mark.parametrize(("service", "told"), REFUSALS)
def test_refusal_in_an_action_changes_no_row(
    service: Callable[[PaymentOrder], None],
    told: str,
    back_office: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cancel(self: Any, request: Any, queryset: Any) -> None:
        for order in queryset:
            PaymentOrder.objects.filter(pk=order.pk).update(status="CANCELLED")
            service(order)

    monkeypatch.setattr(PaymentOrderAdmin, "cancel", cancel, raising=False)
    monkeypatch.setattr(PaymentOrderAdmin, "actions", ["cancel"])
    orders = PaymentOrderFactory.create_batch(2)
    form = {"action": "cancel", "_selected_action": [it.pk for it in orders], "index": "0"}
    answer = back_office.post(list_url(PaymentOrder), form, follow=True)
    assert told in messages_of(answer)[0]
    assert set(PaymentOrder.objects.values_list("status", "version")) == {("PENDING", 0)}


@pytest.mark.parametrize(
    ("header", "answered"), [({}, "Location"), ({"hx-request": "true"}, "HX-Redirect")]
)
def test_refusal_in_an_action_of_a_page_leads_back_to_it(
    header: dict[str, str], answered: str, back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restore(order: PaymentOrder) -> None:
        PaymentOrder.all_objects.filter(pk=order.pk).update(deleted=False)
        somebody_else_first(order)

    monkeypatch.setattr(PaymentOrder, "restore", restore)
    order = PaymentOrderFactory(deleted=True)
    form = {"_form_submitted": "True"}
    answer = back_office.post(page_url(order, "restore"), form, headers=header)
    assert answer.headers[answered] == page_url(order)
    assert len(messages_of(back_office.get(page_url(order)))) == 1
    assert not PaymentOrder.objects.exists()


def test_selected_row_whose_key_is_no_key_is_a_message(back_office: Client) -> None:
    form = {"action": "delete_selected", "_selected_action": ["'; --"], "index": "0"}
    answer = back_office.post(list_url(PaymentOrder), form, follow=True)
    assert len(messages_of(answer)) == 1
