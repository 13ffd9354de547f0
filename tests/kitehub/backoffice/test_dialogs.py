"""What actions ask before they act, and what comes of each row of several."""

from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import Client, RequestFactory
from django.urls import resolve

from billing.admin import PaymentOrderAdmin
from billing.models import PaymentOrder
from kitehub.backoffice.audit import Refusal, existing
from kitehub.backoffice.bulk import MOST_EACH, Bulk, run_on_each
from kitehub.backoffice.dialogs import Line, RetypedDialog, WhyDialog
from kitehub.backoffice.rehearsals import RehearsedDialog, foresee
from kitehub.models import User
from tests.factories.billing import PaymentOrderFactory
from tests.kitehub.backoffice.pages import page_url


class Retyped(RetypedDialog):
    model = PaymentOrder

    def preview(self) -> list[Line]:
        return [Line("Số tiền", str(self.row.amount))]


def asked(row: PaymentOrder, **entered: str) -> Retyped:
    data = {"_form_submitted": "True", **entered} if entered else None
    return Retyped(data=data, request=RequestFactory().get("/"), object_id=str(row.pk))


@pytest.mark.django_db
def test_dialog_wants_the_reason_and_the_code() -> None:
    order = PaymentOrderFactory()
    open_dialog = asked(order)
    assert f"Nhập lại “{order.order_id}”" in str(open_dialog.fields["retyped"].label)
    assert str(order.amount) in open_dialog.render_before_template()
    seen = open_dialog["seen"].value()
    assert asked(order, seen=seen, retyped=order.order_id.lower(), reason="vì").is_valid()
    assert set(asked(order, seen=seen, retyped="KH0", reason=" ").errors) == {"retyped", "reason"}


@pytest.mark.django_db
def test_dialog_for_a_row_that_changed_is_shown_again_with_what_is_there() -> None:
    order = PaymentOrderFactory()
    seen = asked(order)["seen"].value()
    PaymentOrder.objects.filter(pk=order.pk).update(qr_image_url="/qr/other")
    again = asked(order, seen=seen, retyped=order.order_id, reason="vì")
    assert not again.is_valid()
    assert "vừa thay đổi" in again.render_before_template()
    shown_now = again["seen"].value()
    assert asked(order, seen=shown_now, retyped=order.order_id, reason="vì").is_valid()


class Tried(RehearsedDialog):
    model = PaymentOrder

    def attempt(self, actor: str) -> list[Line]:
        others = PaymentOrder.objects.exclude(pk=self.row.pk).count()
        if others > 1:
            raise Refusal("quá nhiều")
        PaymentOrder.objects.filter(pk=self.row.pk).update(qr_image_url=f"/qr/{others}")
        return [Line("Đơn khác", str(others))]


@pytest.mark.django_db
def test_what_comes_of_an_action_is_shown_again_where_other_rows_make_it_another() -> None:
    order = PaymentOrderFactory()

    def tried(**entered: str) -> Tried:
        request = RequestFactory().get("/")
        request.user = User(email="chi@kitehub.vn")
        return Tried(data=entered or None, request=request, object_id=str(order.pk))

    assert "seen" not in tried().render_before_template()
    seen = tried()["seen"].value()
    said = {"_form_submitted": "True", "reason": "vì"}
    assert tried(seen=seen, **said).is_valid()
    PaymentOrderFactory()
    again = tried(seen=seen, **said)
    assert not again.is_valid()
    assert "Đơn khác" in again.render_before_template()
    assert tried(seen=again["seen"].value(), **said).is_valid()
    PaymentOrderFactory()
    refused = tried(seen=again["seen"].value(), **said)
    assert not refused.is_valid()
    assert "quá nhiều" in refused.render_before_template()
    order.refresh_from_db()
    assert not order.qr_image_url, "it was only tried"


def test_row_that_is_gone_is_refused_in_words() -> None:
    row = PaymentOrderFactory.build()
    assert existing(row) is row
    with pytest.raises(Refusal, match="Không có bản ghi này"):
        existing(None)


@pytest.mark.django_db
def test_what_will_come_of_a_row_is_a_line_and_nothing_has_come_of_it() -> None:
    order = PaymentOrderFactory()

    def work() -> list[Line]:
        PaymentOrder.objects.filter(pk=order.pk).update(qr_image_url="/qr/other")
        return [Line("Số tiền", "1"), Line("Còn lại", "2")]

    def refuse() -> list[Line]:
        raise Refusal("hết tiền")

    assert foresee(work) == "Số tiền: 1; Còn lại: 2"
    assert PaymentOrder.objects.get(pk=order.pk).qr_image_url == order.qr_image_url
    with pytest.raises(Refusal, match="vì hết tiền"):
        foresee(refuse, lambda error: f"vì {error}")


def test_dialog_without_a_model_has_no_row() -> None:
    dialog = WhyDialog(data=None, request=RequestFactory().get("/"), object_id="rubbish")
    assert (dialog.row, dialog.render_before_template().strip()) == (None, "")


@pytest.fixture
def bulk_request(rf: RequestFactory, transactional_db: None) -> Any:
    def make(**data: str) -> Any:
        request: Any = rf.post("/admin/billing/paymentorder/", data)
        request.user = User.objects.filter(email="chi@kitehub.vn").first() or (
            User.objects.create_superuser("chi@kitehub.vn", "a long password")
        )
        request.session = {}
        request._messages = FallbackStorage(request)
        return request

    return make


def test_row_that_is_refused_stops_no_other(bulk_request: Any) -> None:
    first, second = (PaymentOrderFactory() for _ in range(2))

    def act(order: PaymentOrder) -> str:
        PaymentOrder.objects.filter(pk=order.pk).update(qr_image_url="/changed")
        if order == first:
            raise Refusal("không được")
        return "xong"

    admin: Any = PaymentOrderAdmin(PaymentOrder, site)
    bulk = Bulk("x", "Thử", "…", lambda order: "sẽ xong", act)
    rows = PaymentOrder.objects.all()
    before: Any = run_on_each(admin, bulk_request(action="x"), rows, bulk)
    assert [it.said for it in before.context_data["outcomes"]] == ["sẽ xong"] * 2
    assert not PaymentOrder.objects.filter(qr_image_url="/changed").exists()
    asked = {"run": before.context_data["run"], "confirmed": "yes", "reason": "vì"}
    request = bulk_request(action="x", **asked)
    answer: Any = run_on_each(admin, request, rows, bulk)
    key = resolve(answer.url).kwargs["key"]
    request.method = "GET"
    after = admin.results_view(request, key)
    assert {it.row: (it.done, it.said) for it in after.context_data["outcomes"]} == {
        first.order_id: (False, "không được"),
        second.order_id: (True, "xong"),
    }
    # What was refused left nothing behind.
    assert list(rows.filter(qr_image_url="/changed")) == [second]
    changed = PaymentOrder.objects.get(pk=second.pk)
    assert changed.updated_by == "chi@kitehub.vn"


def test_too_many_rows_are_refused(bulk_request: Any) -> None:
    class Many:
        def order_by(self, *names: str) -> list[int]:
            return list(range(MOST_EACH + 5))

    bulk = Bulk("x", "Thử", "…", str, str)
    with pytest.raises(Refusal):
        run_on_each(None, bulk_request(), Many(), bulk)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_dialog_in_a_tab_of_its_own_is_the_page_of_its_row(back_office: Client) -> None:
    order = PaymentOrderFactory()
    address = page_url(order, "cancel")
    assert back_office.get(address).status_code == 200
    alone = back_office.get(address, headers={"Sec-Fetch-Dest": "document"})
    assert (alone.status_code, alone["Location"]) == (302, page_url(order))
    assert back_office.get(address, headers={"Sec-Fetch-Dest": "empty"}).status_code == 200
