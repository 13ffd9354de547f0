"""Nobody saves over a change that they have not seen."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from billing.models import PaymentOrder, Subscription
from kitehub.backoffice import stale
from kitehub.models import Instance, InstanceConfig
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.backoffice.open_forms import open_forms
from tests.kitehub.backoffice.pages import form_of, opened, save, signed_in

__all__ = ["open_forms"]


@pytest.fixture
def minh(db: None) -> Client:
    return signed_in("minh@kitehub.test")


@pytest.fixture
def subscription(db: None) -> Subscription:
    return SubscriptionFactory(monthly_price=299_000)


def conflicts(page: object) -> dict[str, tuple[str, str, str | None]]:
    meanwhile = page.context["adminform"].form.meanwhile  # type: ignore[attr-defined]
    return {
        it.difference.label: (it.difference.before, it.difference.after, it.yours)
        for it in meanwhile.conflicts
    }


def test_second_of_two_saves_is_refused_and_says_what_happened(
    back_office: Client, minh: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    assert save(minh, subscription, monthly_price="399000", status="PAST_DUE").status_code == 302
    page = save(back_office, subscription, form, monthly_price="199000")
    assert page.status_code == 200
    subscription.refresh_from_db()
    assert (subscription.monthly_price, subscription.updated_by) == (399_000, "minh@kitehub.test")
    assert conflicts(page) == {
        "Trạng thái": ("Đang hoạt động", "Quá hạn", None),
        "Giá mỗi tháng": ("299.000\u00a0₫", "399.000\u00a0₫", "199.000\u00a0₫"),
    }
    text = page.content.decode()
    when = timezone.localtime(subscription.updated_at).strftime("%d/%m/%Y %H:%M")
    assert f"minh@kitehub.test đã thay đổi dữ liệu lúc {when}" in text
    assert "Vui lòng sửa lỗi bên dưới" not in text  # there is none below


def test_input_stays_and_what_was_left_alone_takes_over_the_change(
    back_office: Client, minh: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    save(minh, subscription, monthly_price="399000", status="PAST_DUE")
    page = save(back_office, subscription, form, monthly_price="199000", reason="giảm giá")
    again = form_of(page)
    assert (again["monthly_price"], again["reason"]) == ("199000", "giảm giá")
    assert again["status"] == "PAST_DUE"
    assert save(back_office, subscription, again).status_code == 302
    subscription.refresh_from_db()
    assert (subscription.monthly_price, subscription.status) == (199_000, "PAST_DUE")
    assert subscription.updated_by == "staff@kitehub.test"


def test_third_change_is_noticed_again(
    back_office: Client, minh: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    save(minh, subscription, monthly_price="399000")
    again = form_of(save(back_office, subscription, form, monthly_price="199000"))
    save(minh, subscription, monthly_price="499000")
    page = save(back_office, subscription, again)
    assert conflicts(page) == {
        "Giá mỗi tháng": ("399.000\u00a0₫", "499.000\u00a0₫", "199.000\u00a0₫")
    }


def test_several_changes_are_counted(
    back_office: Client, minh: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    for price in ("399000", "499000"):
        save(minh, subscription, monthly_price=price)
    page = save(back_office, subscription, form, monthly_price="199000")
    assert "đã bị thay đổi 2 lần, lần cuối bởi minh@kitehub.test" in page.content.decode()


def test_change_that_nobody_signed_is_not_laid_at_the_door_of_who_signed_before(
    back_office: Client, subscription: Subscription
) -> None:
    assert save(back_office, subscription, monthly_price="349000").status_code == 302
    form = opened(back_office, subscription)
    Subscription.objects.update(monthly_price=399_000)
    text = save(back_office, subscription, form, status="PAST_DUE").content.decode()
    assert "đã bị thay đổi 1 lần, lần cuối lúc" in text
    assert "vẫn ghi tên staff@kitehub.test như trước" in text
    assert "staff@kitehub.test đã thay đổi" not in text


def test_change_of_a_row_that_names_nobody_names_nobody(
    back_office: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    Subscription.objects.update(monthly_price=399_000)
    text = save(back_office, subscription, form, status="PAST_DUE").content.decode()
    assert "đã bị thay đổi 1 lần, lần cuối lúc" in text
    assert "vẫn ghi tên" not in text


def test_english_page_says_it_in_english(
    back_office: Client, minh: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    save(minh, subscription, status="PAST_DUE")
    back_office.cookies["django_language"] = "en"
    page = save(back_office, subscription, form, status="CANCELED")
    assert conflicts(page) == {"Status": ("Active", "Past due", "Cancelled")}
    assert "minh@kitehub.test changed it at" in page.content.decode()


def test_times_are_told_in_local_time_and_told_apart(
    back_office: Client, subscription: Subscription
) -> None:
    start = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    Subscription.objects.update(current_period_start=start, current_period_end=start)
    subscription.refresh_from_db()
    form = opened(back_office, subscription)
    Subscription.objects.update(
        current_period_start=start + timedelta(seconds=5), current_period_end=start.replace(day=24)
    )
    page = save(back_office, subscription, form)
    assert conflicts(page) == {
        "Bắt đầu kỳ": ("24/11/2026 01:30:00", "24/11/2026 01:30:05", None),
        "Kết thúc kỳ": ("24/11/2026 01:30", "25/11/2026 01:30", None),
    }


def test_change_of_what_only_a_method_shows_is_told(back_office: Client) -> None:
    order = PaymentOrderFactory(amount=299_000)
    form = opened(back_office, order)
    PaymentOrder.objects.update(amount=1_000)
    assert conflicts(save(back_office, order, form))["Số tiền"][:2] == (
        "299.000\u00a0₫",
        "1.000\u00a0₫",
    )


def test_reference_is_told_by_name(back_office: Client) -> None:
    job = BrandingJobFactory()
    before, after = job.instance.organization_name, InstanceFactory(organization_name="Hòa Ca")
    form = opened(back_office, job)
    type(job).objects.update(instance=after)
    assert conflicts(save(back_office, job, form)) == {"Trường học": (before, "Hòa Ca", None)}


def test_of_json_only_the_keys_that_differ_are_told(back_office: Client) -> None:
    config = InstanceConfigFactory(limitations={"maxStudents": 50, "maxCourses": 10})
    form = opened(back_office, config)
    InstanceConfig.objects.update(limitations={"maxStudents": 80, "maxCourses": 10})
    assert conflicts(save(back_office, config, form)) == {
        "Hạn mức": ('{"maxStudents": 50}', '{"maxStudents": 80}', None)
    }


def test_change_that_the_page_does_not_show_is_a_change(back_office: Client) -> None:
    school = InstanceFactory()
    form = opened(back_office, school)
    Instance.objects.update(database_username="hidden-role")
    page = save(back_office, school, form, organization_name="Sao Mai")
    assert conflicts(page) == {}
    assert "không thay đổi" in page.content.decode()
    assert "hidden-role" not in page.content.decode()


def test_snapshot_holds_nothing_that_the_page_does_not_show(back_office: Client) -> None:
    school = InstanceFactory(database_password="s3cret", database_username="role-name")
    told = stale.read(opened(back_office, school)["snapshot"], row=school).values
    assert not {"database_url", "database_username", "database_password"} & set(told)
    assert told["subdomain"] == school.subdomain


@pytest.mark.parametrize("kind", ["missing", "empty", "rubbish", "cut", "another row", "forged"])
def test_without_its_snapshot_a_form_is_not_saved(
    back_office: Client, subscription: Subscription, kind: str
) -> None:
    form = opened(back_office, subscription)
    right = form.pop("snapshot")
    forged = signing.dumps({"row": "x", "version": 99, "values": {}}, salt="another")
    wrong = {
        "empty": "",
        "rubbish": "\x00 :1:ü",
        "cut": right[:-1],
        "another row": opened(back_office, SubscriptionFactory())["snapshot"],
        "forged": forged,
    }
    if kind in wrong:
        form["snapshot"] = wrong[kind]
    page = save(back_office, subscription, form, monthly_price="199000")
    assert "không xác định được trang này" in page.content.decode()
    subscription.refresh_from_db()
    assert subscription.monthly_price == 299_000
    # The page now knows what it shows, and the input is still there.
    assert save(back_office, subscription, form_of(page)).status_code == 302
    subscription.refresh_from_db()
    assert subscription.monthly_price == 199_000


def test_row_that_was_deleted_meanwhile_is_not_changed(
    back_office: Client, subscription: Subscription
) -> None:
    form = opened(back_office, subscription)
    subscription.delete()
    page = save(back_office, subscription, form, monthly_price="199000")
    assert conflicts(page) == {"Đã xóa": ("Không", "Có", None)}
    again = form_of(page)
    assert again["monthly_price"] == "199000"
    assert "Hãy khôi phục" in save(back_office, subscription, again).content.decode()
    subscription.refresh_from_db()
    assert subscription.monthly_price == 299_000


def test_saving_an_untouched_page_changes_nothing(back_office: Client) -> None:
    odd = datetime(2026, 11, 23, 18, 30, 15, 123456, tzinfo=UTC)
    subscription = SubscriptionFactory(current_period_start=odd)
    assert save(back_office, subscription).status_code == 302
    after = Subscription.objects.get()
    assert (after.current_period_start, after.version) == (odd, subscription.version)
    assert after.history.count() == 1
